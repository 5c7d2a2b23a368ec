// Copying the values of tensors to JavaScript, off the main thread.
#ifndef SIMSIAM_READ_H_
#define SIMSIAM_READ_H_

#include "js.h"

namespace simsiam {

// Exported to JavaScript; see native.ts.
napi_value readTensors(napi_env env, napi_callback_info info);

}  // namespace simsiam

#endif  // SIMSIAM_READ_H_
