#include "process_exit.h"

#include <cstdio>
#include <cstdlib>

#include <unistd.h>

namespace simsiam {

// leaveWithoutDestructors()
napi_value leaveWithoutDestructors(napi_env, napi_callback_info) {
#ifdef __GLIBC__  // on_exit knows the exit code; elsewhere there is no such thing, and the usual end has to do
  on_exit(
      [](int code, void*) {
        fflush(nullptr);
        _exit(code);
      },
      nullptr);
#endif
  return nullptr;
}

}  // namespace simsiam
