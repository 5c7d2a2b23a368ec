// Constants of a graph.
#ifndef SIMSIAM_CONSTANT_H_
#define SIMSIAM_CONSTANT_H_

#include <vector>

#include "trace.h"

namespace simsiam {

// Adds a constant of JavaScript values: a typed array, or for strings an array of Uint8Array. A large one whose elements
// are all equal becomes a Fill, so that zeros of the size of the weights don't swell the graph.
TF_Operation* constant(napi_env env, Trace* trace, TF_DataType dtype, const std::vector<int64_t>& shape, napi_value values);

// Whether an operation came from `constant`.
bool isConstant(TF_Operation* operation);

}  // namespace simsiam

#endif  // SIMSIAM_CONSTANT_H_
