// A graph function that a context knows by its name.
#ifndef SIMSIAM_FUNCTION_H_
#define SIMSIAM_FUNCTION_H_

#include <memory>
#include <string>

#include "context.h"
#include "js.h"

namespace simsiam {

// A function registered in a context, until the last call and the last JavaScript reference are gone.
class Function {
 public:
  static constexpr uint64_t kTag = 0x73696d7369616d02;
  static constexpr const char* kName = "function";
  // Takes the function; throws Failure if the context refuses it.
  Function(std::shared_ptr<Context> context, std::string name, TF_Function* function, size_t outputs);
  ~Function();
  const std::string& name() const { return name_; }
  size_t outputs() const { return outputs_; }

 private:
  std::shared_ptr<Context> context_;
  std::string name_;
  size_t outputs_;
};

// Exported to JavaScript; see native.ts.
napi_value disposeFunction(napi_env env, napi_callback_info info);

}  // namespace simsiam

#endif  // SIMSIAM_FUNCTION_H_
