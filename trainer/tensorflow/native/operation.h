// Nodes of a graph by their op's name.
#ifndef SIMSIAM_OPERATION_H_
#define SIMSIAM_OPERATION_H_

#include <string>
#include <vector>

#include "trace.h"

namespace simsiam {

// Adds an op. `attributes` is an array of {name, value}. Those that the inputs determine (T, N, Tin) are left to
// TensorFlow, so whatever the caller believes of dtypes, the real ones count; those that the op doesn't have are
// ignored (tfjs sends some). A float32 constant that meets bfloat16 or float16 under one type attribute is cast to it.
// Throws Failure with TensorFlow's words when the inputs don't fit.
TF_Operation* addNode(napi_env env, Trace* trace, const std::string& op, napi_value attributes,
                      std::vector<TF_Output> inputs, const std::vector<TF_Output>& controls);

}  // namespace simsiam

#endif  // SIMSIAM_OPERATION_H_
