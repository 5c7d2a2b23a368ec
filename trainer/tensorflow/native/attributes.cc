#include "attributes.h"

#include <map>

namespace simsiam {
namespace {

TF_DataType toType(napi_env env, napi_value value) {
  if (typeOf(env, value) != napi_string) return static_cast<TF_DataType>(static_cast<int>(toNumber(env, value)));
  static const std::map<std::string, TF_DataType> kTypes = {
      {"float32", TF_FLOAT}, {"float64", TF_DOUBLE},     {"int32", TF_INT32}, {"int64", TF_INT64},
      {"uint8", TF_UINT8},   {"bfloat16", TF_BFLOAT16}, {"bool", TF_BOOL}};
  const auto found = kTypes.find(toString(env, value));
  if (found == kTypes.end()) throw Failure(kMisuse, "unknown dtype " + toString(env, value));
  return found->second;
}

std::string toText(napi_env env, napi_value value) {
  Bytes bytes;
  if (toBytes(env, value, &bytes)) return std::string(static_cast<const char*>(bytes.data), bytes.length);
  return toString(env, value);
}

// Whole lists of strings or shapes: TensorFlow takes parallel arrays of pointers and lengths.
template <class Item, class Pointer, class Length>
void parallel(const std::vector<Item>& items, std::vector<Pointer>* pointers, std::vector<Length>* lengths) {
  for (const auto& item : items) {
    pointers->push_back(item.data());
    lengths->push_back(static_cast<Length>(item.size()));
  }
}

void setList(napi_env env, TF_OperationDescription* op, const char* name, const std::string& kind, napi_value value) {
  if (kind == "list(int)") {
    const auto list = toNumbers<int64_t>(env, value);
    TF_SetAttrIntList(op, name, list.data(), list.size());
  } else if (kind == "list(float)") {
    const auto list = toNumbers<float>(env, value);
    TF_SetAttrFloatList(op, name, list.data(), list.size());
  } else if (kind == "list(bool)") {
    const auto list = toNumbers<unsigned char>(env, value);
    TF_SetAttrBoolList(op, name, list.data(), list.size());
  } else if (kind == "list(type)") {
    std::vector<TF_DataType> list;
    for (uint32_t i = 0, n = lengthOf(env, value); i < n; i++) list.push_back(toType(env, elementOf(env, value, i)));
    TF_SetAttrTypeList(op, name, list.data(), list.size());
  } else if (kind == "list(string)") {
    const auto list = toStrings(env, value);
    std::vector<const void*> pointers;
    std::vector<size_t> lengths;
    parallel(list, &pointers, &lengths);
    TF_SetAttrStringList(op, name, pointers.data(), lengths.data(), list.size());
  } else if (kind == "list(shape)") {
    std::vector<std::vector<int64_t>> list;
    for (uint32_t i = 0, n = lengthOf(env, value); i < n; i++) list.push_back(toNumbers<int64_t>(env, elementOf(env, value, i)));
    std::vector<const int64_t*> pointers;
    std::vector<int> lengths;
    parallel(list, &pointers, &lengths);
    TF_SetAttrShapeList(op, name, pointers.data(), lengths.data(), list.size());
  } else {
    throw Failure(kMisuse, std::string("attribute ") + name + ": kind " + kind + " is not supported");
  }
}

}  // namespace

void setAttribute(napi_env env, TF_OperationDescription* op, const std::string& attribute, const std::string& kind,
                  napi_value value) {
  const char* name = attribute.c_str();
  if (kind == "string") {
    const std::string text = toText(env, value);
    TF_SetAttrString(op, name, text.data(), text.size());
  } else if (kind == "func") {
    const std::string text = toString(env, value);
    TF_SetAttrFuncName(op, name, text.data(), text.size());
  } else if (kind == "int") {
    TF_SetAttrInt(op, name, static_cast<int64_t>(toNumber(env, value)));
  } else if (kind == "float") {
    TF_SetAttrFloat(op, name, static_cast<float>(toNumber(env, value)));
  } else if (kind == "bool") {
    TF_SetAttrBool(op, name, toNumber(env, value) != 0);
  } else if (kind == "type") {
    TF_SetAttrType(op, name, toType(env, value));
  } else if (kind == "shape") {
    if (isArray(env, value)) {
      const auto shape = toNumbers<int64_t>(env, value);
      TF_SetAttrShape(op, name, shape.data(), shape.size());
    } else {
      TF_SetAttrShape(op, name, nullptr, -1);  // any shape
    }
  } else {
    setList(env, op, name, kind, value);
  }
}

}  // namespace simsiam
