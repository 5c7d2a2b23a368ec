#include "read.h"

#include <cstdlib>
#include <cstring>

#include "status.h"
#include "tensors.h"

namespace simsiam {
namespace {

// A read in flight: copies on libuv's pool, answers on the main thread.
struct Read {
  napi_async_work work = nullptr;
  napi_deferred deferred = nullptr;
  std::vector<std::shared_ptr<Handle>> handles;
  std::vector<std::pair<void*, size_t>> copies;
  std::string code, message;
  ~Read() {
    for (auto& copy : copies) free(copy.first);
  }
};

void freeCopy(napi_env, void* data, void*) { free(data); }

void executeRead(napi_env, void* data) {
  auto* read = static_cast<Read*>(data);
  for (const auto& handle : read->handles) {
    Status status;
    TF_Tensor* host = TFE_TensorHandleResolve(handle->get(), status.get());
    if (!status.ok()) {
      read->code = codeName(status.code());
      read->message = status.message();
      return;
    }
    const size_t length = TF_TensorByteSize(host);
    // A copy: TensorFlow's memory may be shared with other handles, and JavaScript could write to it.
    void* copy = malloc(length > 0 ? length : 1);
    if (copy != nullptr && length > 0) memcpy(copy, TF_TensorData(host), length);
    TF_DeleteTensor(host);
    if (copy == nullptr) {
      read->code = "TF_RESOURCE_EXHAUSTED";
      read->message = "out of memory for " + std::to_string(length) + " bytes";
      return;
    }
    read->copies.emplace_back(copy, length);
  }
}

void completeRead(napi_env env, napi_status, void* data) {
  std::unique_ptr<Read> read(static_cast<Read*>(data));
  napi_delete_async_work(env, read->work);
  read->handles.clear();
  tellV8(env);
  try {
    if (!read->code.empty()) throw Failure(read->code, read->message);
    napi_value buffers = newArray(env, read->copies.size());
    for (size_t i = 0; i < read->copies.size(); i++) {
      napi_value buffer;
      auto& copy = read->copies[i];
      check(napi_create_external_arraybuffer(env, copy.first, copy.second, freeCopy, nullptr, &buffer), "making a buffer");
      copy.first = nullptr;  // the buffer owns it now
      setElement(env, buffers, i, buffer);
    }
    napi_resolve_deferred(env, read->deferred, buffers);
  } catch (const Failure& failure) {  // for one while Node takes the environment down
    napi_reject_deferred(env, read->deferred, newError(env, failure.code, failure.message));
  }
}

}  // namespace

// readTensors(list, indices)
napi_value readTensors(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  auto list = unbox<Tensors>(env, args[0]);
  auto read = std::make_unique<Read>();
  for (size_t index : toNumbers<size_t>(env, args[1])) {
    if (index >= list->handles.size()) throw Failure(kMisuse, "readTensors: out of range");
    read->handles.push_back(list->handles[index]);
  }
  napi_value promise, name = newString(env, "simsiam:read");
  check(napi_create_promise(env, &read->deferred, &promise), "making a promise");
  check(napi_create_async_work(env, nullptr, name, executeRead, completeRead, read.get(), &read->work), "making a read");
  check(napi_queue_async_work(env, read->work), "queueing a read");
  read.release();
  return promise;
}

}  // namespace simsiam
