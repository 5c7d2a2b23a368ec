// A context with the thread that executes functions, one after the other in the order of their calls (so collectives
// start in the same order on every rank).
#ifndef SIMSIAM_RUNTIME_H_
#define SIMSIAM_RUNTIME_H_

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "context.h"
#include "function.h"
#include "js.h"
#include "tensors.h"
#include "tensorflow/c/eager/c_api_experimental.h"

namespace simsiam {

// One call, from the moment it is queued until its promise is settled.
struct Call {
  static constexpr uint64_t kTag = 0x73696d7369616d03;
  static constexpr const char* kName = "call";
  Call() : cancellation(TFE_NewCancellationManager()) {}
  ~Call() { TFE_DeleteCancellationManager(cancellation); }
  std::shared_ptr<Function> function;
  std::vector<std::shared_ptr<Handle>> inputs;
  std::vector<size_t> groups;  // how many outputs each list of the answer takes
  TFE_CancellationManager* cancellation;
  napi_deferred deferred = nullptr;
  std::vector<std::shared_ptr<Handle>> outputs;
  std::string code, message;  // of the failure, if there is one
};

class Runtime {
 public:
  static constexpr uint64_t kTag = 0x73696d7369616d04;
  static constexpr const char* kName = "runtime";
  static std::shared_ptr<Runtime> start(napi_env env, std::shared_ptr<Context> context);
  const std::shared_ptr<Context>& context() const { return context_; }
  void enqueue(napi_env env, std::shared_ptr<Call> call);
  // Cancels what is queued or running; the thread ends when that is settled.
  void close();

 private:
  explicit Runtime(std::shared_ptr<Context> context) : context_(std::move(context)) {}
  void run();
  void execute(Call* call) const;
  // Hands a call back to the main thread; false when nobody listens there any more.
  bool answer(std::shared_ptr<Call> call);
  // These two on the main thread.
  static void settle(napi_env env, napi_value, void* context, void* data);
  static void stopListening(napi_env env, void* data, void* context);

  std::shared_ptr<Context> context_;
  napi_threadsafe_function settled_ = nullptr;
  int unsettled_ = 0;  // main thread only; above 0 the event loop is kept alive
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Call>> queue_;
  std::shared_ptr<Call> running_;
  bool closed_ = false;
  // Whether settled_ is there: Node 20 deletes it with the environment, even if the thread has not released it. The thread
  // uses it under mutex_ only, for which `stopListening` waits before it goes.
  bool listening_ = true;
};

// Exported to JavaScript; see native.ts.
napi_value openRuntime(napi_env env, napi_callback_info info);
napi_value joinCluster(napi_env env, napi_callback_info info);
napi_value onGpu(napi_env env, napi_callback_info info);
napi_value closeRuntime(napi_env env, napi_callback_info info);
napi_value callFunction(napi_env env, napi_callback_info info);
napi_value cancelCall(napi_env env, napi_callback_info info);

}  // namespace simsiam

#endif  // SIMSIAM_RUNTIME_H_
