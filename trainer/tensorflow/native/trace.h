// A TensorFlow graph under construction. Nothing is executed: shapes and dtypes come from TensorFlow's shape inference.
#ifndef SIMSIAM_TRACE_H_
#define SIMSIAM_TRACE_H_

#include <memory>
#include <string>
#include <vector>

#include "js.h"
#include "tensorflow/c/c_api.h"

namespace simsiam {

class Trace {
 public:
  static constexpr uint64_t kTag = 0x73696d7369616d05;
  static constexpr const char* kName = "trace";
  Trace() : graph_(TF_NewGraph()) {}
  ~Trace() { TF_DeleteGraph(graph_); }
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  TF_Graph* graph() const { return graph_; }
  // Begins a node named `<op>_<count>`.
  TF_OperationDescription* begin(const std::string& op);
  TF_Operation* finish(TF_OperationDescription* description);
  // The symbolic tensor of an index that `add` gave.
  TF_Output at(double index) const;
  double add(TF_Output output);
  int nodes() const { return nodes_; }

 private:
  TF_Graph* graph_;
  std::vector<TF_Output> tensors_;
  int nodes_ = 0;
};

// Exported to JavaScript; see native.ts.
napi_value beginTrace(napi_env env, napi_callback_info info);
napi_value addPlaceholder(napi_env env, napi_callback_info info);
napi_value addConstant(napi_env env, napi_callback_info info);
napi_value addOperation(napi_env env, napi_callback_info info);
napi_value setShape(napi_env env, napi_callback_info info);
napi_value finishTrace(napi_env env, napi_callback_info info);
napi_value disposeTrace(napi_env env, napi_callback_info info);

}  // namespace simsiam

#endif  // SIMSIAM_TRACE_H_
