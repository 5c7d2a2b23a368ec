// Immutable lists of tensors. A list shares its handles with the lists that it was cut from or joined to, so keeping a
// list is a snapshot that costs nothing.
#ifndef SIMSIAM_TENSORS_H_
#define SIMSIAM_TENSORS_H_

#include <memory>
#include <vector>

#include "context.h"
#include "js.h"
#include "tensorflow/c/eager/c_api.h"

namespace simsiam {

// One TensorFlow handle. May be destroyed on any thread.
class Handle {
 public:
  Handle(std::shared_ptr<Context> context, TFE_TensorHandle* handle);
  ~Handle();
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  TFE_TensorHandle* get() const { return handle_; }

 private:
  std::shared_ptr<Context> context_;  // must outlive its handles
  TFE_TensorHandle* handle_;
  int64_t bytes_;
};

struct Tensors {
  static constexpr uint64_t kTag = 0x73696d7369616d01;
  static constexpr const char* kName = "tensor list";
  std::vector<std::shared_ptr<Handle>> handles;
};

// Tells V8 of the bytes that came and went since the last time. Main thread.
void tellV8(napi_env env);

// Wraps a list for JavaScript and reports its memory to V8.
napi_value newTensors(napi_env env, std::shared_ptr<Tensors> tensors);

// The functions below are exported to JavaScript; see native.ts.
napi_value createTensors(napi_env env, napi_callback_info info);
napi_value sliceTensors(napi_env env, napi_callback_info info);
napi_value concatTensors(napi_env env, napi_callback_info info);
napi_value disposeTensors(napi_env env, napi_callback_info info);

}  // namespace simsiam

#endif  // SIMSIAM_TENSORS_H_
