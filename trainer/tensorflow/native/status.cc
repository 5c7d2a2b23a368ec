#include "status.h"

namespace simsiam {

std::string codeName(TF_Code code) {
  switch (code) {
    case TF_OK: return "TF_OK";
    case TF_CANCELLED: return "TF_CANCELLED";
    case TF_UNKNOWN: return "TF_UNKNOWN";
    case TF_INVALID_ARGUMENT: return "TF_INVALID_ARGUMENT";
    case TF_DEADLINE_EXCEEDED: return "TF_DEADLINE_EXCEEDED";
    case TF_NOT_FOUND: return "TF_NOT_FOUND";
    case TF_ALREADY_EXISTS: return "TF_ALREADY_EXISTS";
    case TF_PERMISSION_DENIED: return "TF_PERMISSION_DENIED";
    case TF_UNAUTHENTICATED: return "TF_UNAUTHENTICATED";
    case TF_RESOURCE_EXHAUSTED: return "TF_RESOURCE_EXHAUSTED";
    case TF_FAILED_PRECONDITION: return "TF_FAILED_PRECONDITION";
    case TF_ABORTED: return "TF_ABORTED";
    case TF_OUT_OF_RANGE: return "TF_OUT_OF_RANGE";
    case TF_UNIMPLEMENTED: return "TF_UNIMPLEMENTED";
    case TF_INTERNAL: return "TF_INTERNAL";
    case TF_UNAVAILABLE: return "TF_UNAVAILABLE";
    case TF_DATA_LOSS: return "TF_DATA_LOSS";
  }
  return "TF_UNKNOWN";
}

TF_Code codeOf(const std::string& name) {
  for (int code = TF_OK; code <= TF_UNAUTHENTICATED; code++)
    if (codeName(static_cast<TF_Code>(code)) == name) return static_cast<TF_Code>(code);
  return TF_INTERNAL;
}

}  // namespace simsiam
