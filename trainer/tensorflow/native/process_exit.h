// Ending the process while TensorFlow works.
#ifndef SIMSIAM_PROCESS_EXIT_H_
#define SIMSIAM_PROCESS_EXIT_H_

#include "js.h"

namespace simsiam {

// Exported to JavaScript; see native.ts.
napi_value leaveWithoutDestructors(napi_env env, napi_callback_info info);

}  // namespace simsiam

#endif  // SIMSIAM_PROCESS_EXIT_H_
