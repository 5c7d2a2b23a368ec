// Setting an attribute of a graph op from a JavaScript value, by the kind that the op's definition gives it.
#ifndef SIMSIAM_ATTRIBUTES_H_
#define SIMSIAM_ATTRIBUTES_H_

#include <string>

#include "js.h"
#include "tensorflow/c/c_api.h"

namespace simsiam {

// Kinds: string, int, float, bool, type (a number or one of our dtype names), func, shape, and lists of them.
void setAttribute(napi_env env, TF_OperationDescription* op, const std::string& name, const std::string& kind,
                  napi_value value);

}  // namespace simsiam

#endif  // SIMSIAM_ATTRIBUTES_H_
