// The TFE context that our functions run in: devices, threads and, in a cluster, the collective server.
#ifndef SIMSIAM_CONTEXT_H_
#define SIMSIAM_CONTEXT_H_

#include <memory>
#include <string>

#include "tensorflow/c/eager/c_api.h"

namespace simsiam {

class Context {
 public:
  // threads: of each of the two pools (intra-op, inter-op).
  static std::shared_ptr<Context> open(int threads);
  ~Context();
  // Starts the server for collectives; before the first call, functions may have been added. serverDef: text form of
  // tensorflow.ServerDef. Throws Failure with TensorFlow's code, for one when the server's port is taken.
  void join(const std::string& serverDef);
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  TFE_Context* get() const { return context_; }
  // The full name of the device that functions run on: this task's first GPU, else its CPU.
  const std::string& device() const { return device_; }
  bool gpu() const { return gpu_; }

 private:
  Context() = default;
  void chooseDevice();
  bool chooseDevice(const std::string& preferredType);
  TFE_Context* context_ = nullptr;
  std::string device_;
  bool gpu_ = false;
  bool cluster_ = false;
};

}  // namespace simsiam

#endif  // SIMSIAM_CONTEXT_H_
