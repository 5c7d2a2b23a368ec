// TensorFlow's status as a C++ exception: TF_UNAVAILABLE, TF_INVALID_ARGUMENT and so on.
#ifndef SIMSIAM_STATUS_H_
#define SIMSIAM_STATUS_H_

#include <string>

#include "js.h"
#include "tensorflow/c/c_api.h"

namespace simsiam {

// The name of a status code, which is the `code` of the JavaScript error.
std::string codeName(TF_Code code);
// The code of a name; TF_INTERNAL for one that isn't TensorFlow's.
TF_Code codeOf(const std::string& name);

class Status {
 public:
  Status() : status_(TF_NewStatus()) {}
  ~Status() { TF_DeleteStatus(status_); }
  Status(const Status&) = delete;
  Status& operator=(const Status&) = delete;

  TF_Status* get() const { return status_; }
  bool ok() const { return TF_GetCode(status_) == TF_OK; }
  TF_Code code() const { return TF_GetCode(status_); }
  std::string message() const { return TF_Message(status_); }
  void check() const {
    if (!ok()) throw Failure(codeName(code()), message());
  }

 private:
  TF_Status* status_;
};

}  // namespace simsiam

#endif  // SIMSIAM_STATUS_H_
