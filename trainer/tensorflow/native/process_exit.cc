#include "process_exit.h"

#include <cstdio>
#include <cstdlib>
#include <mutex>

#include <unistd.h>

namespace simsiam {

void leaveWithoutDestructors() {
#ifdef __GLIBC__  // on_exit knows the exit code; elsewhere there is no such thing, and the usual end has to do
  static std::once_flag once;
  std::call_once(once, [] {
    on_exit(
        [](int code, void*) {
          fflush(nullptr);
          _exit(code);
        },
        nullptr);
  });
#endif
}

}  // namespace simsiam
