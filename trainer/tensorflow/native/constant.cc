#include "constant.h"

#include <cstring>

#include "status.h"
#include "tensorflow/c/tf_tstring.h"

namespace simsiam {
namespace {

constexpr size_t kLarge = 1024;  // bytes

TF_Operation* addConst(Trace* trace, TF_DataType dtype, TF_Tensor* value) {
  Status status;
  TF_OperationDescription* description = trace->begin("Const");
  TF_SetAttrType(description, "dtype", dtype);
  TF_SetAttrTensor(description, "value", value, status.get());
  TF_DeleteTensor(value);
  TF_Operation* operation = trace->finish(description);
  status.check();
  return operation;
}

TF_Operation* addConst(Trace* trace, TF_DataType dtype, const std::vector<int64_t>& shape, const void* data, size_t length) {
  TF_Tensor* value = TF_AllocateTensor(dtype, shape.data(), shape.size(), length);
  if (value == nullptr) throw Failure("TF_RESOURCE_EXHAUSTED", "out of memory for a constant");
  if (length > 0) memcpy(TF_TensorData(value), data, length);
  return addConst(trace, dtype, value);
}

TF_Operation* addStrings(napi_env env, Trace* trace, const std::vector<int64_t>& shape, napi_value values) {
  const uint32_t count = lengthOf(env, values);
  TF_Tensor* tensor = TF_AllocateTensor(TF_STRING, shape.data(), shape.size(), count * sizeof(TF_TString));
  auto* strings = static_cast<TF_TString*>(TF_TensorData(tensor));
  for (uint32_t i = 0; i < count; i++) {
    Bytes bytes;
    TF_TString_Init(&strings[i]);
    if (toBytes(env, elementOf(env, values, i), &bytes)) {
      TF_TString_Copy(&strings[i], static_cast<const char*>(bytes.data), bytes.length);
    }
  }
  return addConst(trace, TF_STRING, tensor);
}

}  // namespace

TF_Operation* constant(napi_env env, Trace* trace, TF_DataType dtype, const std::vector<int64_t>& shape, napi_value values) {
  if (dtype == TF_STRING) return addStrings(env, trace, shape, values);
  Bytes bytes;
  if (!toBytes(env, values, &bytes)) throw Failure(kMisuse, "a constant needs a typed array");
  const size_t width = TF_DataTypeSize(dtype);
  size_t expected = width;
  for (int64_t dimension : shape) expected *= dimension;
  if (expected != bytes.length) {
    throw Failure(kMisuse, "a constant takes " + std::to_string(expected) + " bytes, not " + std::to_string(bytes.length));
  }
  const char* data = static_cast<const char*>(bytes.data);
  const bool uniform = bytes.length > kLarge && memcmp(data, data + width, bytes.length - width) == 0;
  if (!uniform) return addConst(trace, dtype, shape, data, bytes.length);
  const std::vector<int64_t> vector = {static_cast<int64_t>(shape.size())};
  TF_Operation* dims = addConst(trace, TF_INT64, vector, shape.data(), shape.size() * sizeof(int64_t));
  TF_Operation* value = addConst(trace, dtype, {}, data, width);
  TF_OperationDescription* fill = trace->begin("Fill");
  TF_AddInput(fill, {dims, 0});
  TF_AddInput(fill, {value, 0});
  return trace->finish(fill);
}

bool isConstant(TF_Operation* operation) {
  const char* op = TF_OperationOpType(operation);
  return strcmp(op, "Const") == 0 || strcmp(op, "Fill") == 0;
}

}  // namespace simsiam
