#include "tensors.h"

#include <atomic>
#include <cstring>

#include "runtime.h"
#include "status.h"

namespace simsiam {
namespace {

// Bytes of live handles that V8 has not been told of yet: handles may die on any thread, V8 listens on one only.
std::atomic<int64_t> untold{0};

void finalizeTensors(napi_env env, void* data, void*) {
  delete static_cast<Box<Tensors>*>(data);
  tellV8(env);
}

}  // namespace

void tellV8(napi_env env) {
  int64_t total = 0;
  if (const int64_t change = untold.exchange(0)) napi_adjust_external_memory(env, change, &total);
}

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

}  // namespace simsiam
