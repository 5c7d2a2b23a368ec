// Memory that the ranks of one machine share: each publishes slots of bytes, one after the other, and reads the others'. All do it
// in one order, so that a slot's number says what is in it.
#ifndef SIMSIAM_EXCHANGE_H_
#define SIMSIAM_EXCHANGE_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "js.h"

namespace simsiam {

class Exchange {
 public:
  // That of this process.
  static Exchange& own();

  // Maps the file, once a process; the last rank to do so removes it. Its size is what slots are made of.
  // Throws where it can't be mapped.
  void join(const std::string& path, int rank, int ranks);
  // The others wait for this rank no more, nor it for them. From any thread.
  void leave();

  int ranks() const { return ranks_; }
  int64_t slotBytes() const { return slotBytes_; }

  // Where to write this rank's next slot: what it held was read by all.
  void* next() const { return slot(rank_, published_ + 1); }
  // Lets the others read it, waits until all have published theirs, and lets this rank read those until it publishes the next.
  // Throws Failure with TF_ABORTED where a rank is gone that hasn't, and with TF_CANCELLED after `leave`.
  void publish();
  const void* latestOf(int rank) const { return slot(rank, published_); }

 private:
  struct alignas(128) Line {
    std::atomic<uint32_t> published;  // slots; what the others sleep on
    std::atomic<uint32_t> left;
    std::atomic<int32_t> process;  // 0 until it has joined
  };
  static constexpr int kMostRanks = 30;
  struct Header {
    std::atomic<int32_t> joined;
    Line lines[kMostRanks];
  };
  static constexpr int64_t kHeaderBytes = 4096;
  static_assert(sizeof(Header) <= kHeaderBytes, "slots begin after the header");

  char* slot(int rank, uint32_t number) const { return memory_ + kHeaderBytes + (2 * rank + number % 2) * slotBytes_; }
  Header& header() const { return *reinterpret_cast<Header*>(memory_); }
  void await(int rank) const;

  char* memory_ = nullptr;
  int rank_ = 0, ranks_ = 0;
  int64_t slotBytes_ = 0;
  uint32_t published_ = 0;
};

// joinExchange(path, rank, ranks)
napi_value joinExchange(napi_env env, napi_callback_info info);
// leaveExchange()
napi_value leaveExchange(napi_env env, napi_callback_info info);

}  // namespace simsiam

#endif  // SIMSIAM_EXCHANGE_H_
