#include "tensors.h"

#include <atomic>
#include <cstring>

#include "runtime.h"
#include "status.h"

namespace simsiam {
namespace {

// Bytes of live handles that V8 has not been told of yet: handles may die on any thread, V8 listens on one only.
std::atomic<int64_t> untold{0};

void tellV8(napi_env env) {
  int64_t total = 0;
  if (const int64_t change = untold.exchange(0)) napi_adjust_external_memory(env, change, &total);
}

void finalizeTensors(napi_env env, void* data, void*) {
  delete static_cast<Box<Tensors>*>(data);
  tellV8(env);
}

}  // namespace

Handle::Handle(std::shared_ptr<Context> context, TFE_TensorHandle* handle)
    : context_(std::move(context)), handle_(handle) {
  Status status;
  const int64_t elements = TFE_TensorHandleNumElements(handle, status.get());
  bytes_ = status.ok() ? elements * static_cast<int64_t>(TF_DataTypeSize(TFE_TensorHandleDataType(handle))) : 0;
  untold += bytes_;
}

Handle::~Handle() {
  TFE_DeleteTensorHandle(handle_);
  untold -= bytes_;
}

napi_value newTensors(napi_env env, std::shared_ptr<Tensors> tensors) {
  napi_value external = box<Tensors>(env, std::move(tensors), finalizeTensors);
  tellV8(env);
  return external;
}

// createTensors(runtime, dtypes, shapes, values)
napi_value createTensors(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  auto runtime = unbox<Runtime>(env, args[0]);
  const auto dtypes = toNumbers<int>(env, args[1]);
  auto tensors = std::make_shared<Tensors>();
  for (uint32_t i = 0; i < dtypes.size(); i++) {
    const auto dtype = static_cast<TF_DataType>(dtypes[i]);
    const auto shape = toNumbers<int64_t>(env, elementOf(env, args[2], i));
    Bytes bytes;
    if (!toBytes(env, elementOf(env, args[3], i), &bytes)) throw Failure(kMisuse, "createTensors: typed arrays expected");
    size_t expected = TF_DataTypeSize(dtype);
    for (int64_t dimension : shape) expected *= dimension;
    if (expected != bytes.length) {
      throw Failure(kMisuse, "createTensors: tensor " + std::to_string(i) + " takes " + std::to_string(expected) +
                                 " bytes, not " + std::to_string(bytes.length));
    }
    TF_Tensor* host = TF_AllocateTensor(dtype, shape.data(), shape.size(), expected);
    if (host == nullptr) throw Failure("TF_RESOURCE_EXHAUSTED", "out of memory for " + std::to_string(expected) + " bytes");
    if (expected > 0) memcpy(TF_TensorData(host), bytes.data, expected);
    Status status;
    TFE_TensorHandle* handle = TFE_NewTensorHandle(host, status.get());
    TF_DeleteTensor(host);
    status.check();
    tensors->handles.push_back(std::make_shared<Handle>(runtime->context(), handle));
  }
  return newTensors(env, std::move(tensors));
}

// sliceTensors(list, from, to)
napi_value sliceTensors(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  auto list = unbox<Tensors>(env, args[0]);
  const double from = toNumber(env, args[1]), to = toNumber(env, args[2]);
  if (!(from >= 0 && from <= to && to <= list->handles.size())) throw Failure(kMisuse, "sliceTensors: out of range");
  auto part = std::make_shared<Tensors>();
  part->handles.assign(list->handles.begin() + static_cast<size_t>(from), list->handles.begin() + static_cast<size_t>(to));
  return newTensors(env, std::move(part));
}

// concatTensors(lists)
napi_value concatTensors(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  auto whole = std::make_shared<Tensors>();
  for (uint32_t i = 0, n = lengthOf(env, args[0]); i < n; i++) {
    auto part = unbox<Tensors>(env, elementOf(env, args[0], i));
    whole->handles.insert(whole->handles.end(), part->handles.begin(), part->handles.end());
  }
  return newTensors(env, std::move(whole));
}

// disposeTensors(list)
napi_value disposeTensors(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  boxOf<Tensors>(env, args[0])->object.reset();
  tellV8(env);
  return nullptr;
}

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
  if (!read->code.empty()) {
    napi_reject_deferred(env, read->deferred, newError(env, read->code, read->message));
    return;
  }
  napi_value buffers = newArray(env, read->copies.size());
  for (size_t i = 0; i < read->copies.size(); i++) {
    napi_value buffer;
    auto& copy = read->copies[i];
    check(napi_create_external_arraybuffer(env, copy.first, copy.second, freeCopy, nullptr, &buffer), "making a buffer");
    copy.first = nullptr;  // the buffer owns it now
    setElement(env, buffers, i, buffer);
  }
  napi_resolve_deferred(env, read->deferred, buffers);
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
