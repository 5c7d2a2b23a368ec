#include "function.h"

#include "status.h"

namespace simsiam {

Function::Function(std::shared_ptr<Context> context, std::string name, TF_Function* function, size_t outputs)
    : context_(std::move(context)), name_(std::move(name)), outputs_(outputs) {
  Status status;
  TFE_ContextAddFunction(context_->get(), function, status.get());
  TF_DeleteFunction(function);
  status.check();
}

Function::~Function() {
  Status status;  // a function that is not there any more needs no removing
  TFE_ContextRemoveFunction(context_->get(), name_.c_str(), status.get());
}

// disposeFunction(function)
napi_value disposeFunction(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  boxOf<Function>(env, args[0])->object.reset();
  return nullptr;
}

}  // namespace simsiam
