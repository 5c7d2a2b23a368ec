// A square colour image as three planes of bytes, so that every colour operation is one long vectorisable loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace simsiam {

class Planes {
 public:
  static constexpr int kLane = 16;

  // Forgets the pixels unless the size is the same. A row is padded to whole vectors; what the padding holds is
  // computed along and never read into a result.
  void resize(int size) {
    size_ = size;
    stride_ = (size + kLane - 1) / kLane * kLane;
    bytes_.resize(static_cast<size_t>(3) * plane_bytes());
  }

  int size() const { return size_; }
  int stride() const { return stride_; }
  size_t plane_bytes() const { return static_cast<size_t>(stride_) * size_; }
  uint8_t* plane(int channel) { return bytes_.data() + channel * plane_bytes(); }
  const uint8_t* plane(int channel) const { return bytes_.data() + channel * plane_bytes(); }

 private:
  int size_ = 0;
  int stride_ = 0;
  std::vector<uint8_t> bytes_;
};

}  // namespace simsiam
