#include "js.h"

namespace simsiam {

napi_valuetype typeOf(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  check(napi_typeof(env, value, &type), "napi_typeof");
  return type;
}

std::string toString(napi_env env, napi_value value) {
  size_t length = 0;
  check(napi_get_value_string_utf8(env, value, nullptr, 0, &length), "reading a string");
  std::string text(length, '\0');
  check(napi_get_value_string_utf8(env, value, &text[0], length + 1, &length), "reading a string");
  return text;
}

double toNumber(napi_env env, napi_value value) {
  if (typeOf(env, value) == napi_boolean) {
    bool flag = false;
    check(napi_get_value_bool(env, value, &flag), "reading a boolean");
    return flag ? 1 : 0;
  }
  double number = 0;
  check(napi_get_value_double(env, value, &number), "reading a number");
  return number;
}

bool isArray(napi_env env, napi_value value) {
  bool array = false;
  check(napi_is_array(env, value, &array), "napi_is_array");
  return array;
}

uint32_t lengthOf(napi_env env, napi_value array) {
  uint32_t length = 0;
  check(napi_get_array_length(env, array, &length), "reading an array");
  return length;
}

napi_value elementOf(napi_env env, napi_value array, uint32_t index) {
  napi_value element;
  check(napi_get_element(env, array, index, &element), "reading an element");
  return element;
}

napi_value propertyOf(napi_env env, napi_value object, const char* name) {
  napi_value value;
  check(napi_get_named_property(env, object, name, &value), "reading a property");
  return value;
}

std::vector<std::string> toStrings(napi_env env, napi_value array) {
  std::vector<std::string> result;
  const uint32_t count = lengthOf(env, array);
  result.reserve(count);
  for (uint32_t i = 0; i < count; i++) result.push_back(toString(env, elementOf(env, array, i)));
  return result;
}

bool toBytes(napi_env env, napi_value value, Bytes* bytes) {
  bool typed = false, view = false;
  check(napi_is_typedarray(env, value, &typed), "napi_is_typedarray");
  void* data = nullptr;
  size_t length = 0;
  if (typed) {
    static const size_t kWidth[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
    napi_typedarray_type type;
    check(napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr), "reading a typed array");
    length *= kWidth[type];
  } else {
    check(napi_is_dataview(env, value, &view), "napi_is_dataview");
    if (!view) return false;
    check(napi_get_dataview_info(env, value, &length, &data, nullptr, nullptr), "reading a DataView");
  }
  bytes->data = data;
  bytes->length = length;
  return true;
}

napi_value newString(napi_env env, const std::string& value) {
  napi_value result;
  check(napi_create_string_utf8(env, value.data(), value.size(), &result), "making a string");
  return result;
}

napi_value newNumber(napi_env env, double value) {
  napi_value result;
  check(napi_create_double(env, value, &result), "making a number");
  return result;
}

napi_value newBoolean(napi_env env, bool value) {
  napi_value result;
  check(napi_get_boolean(env, value, &result), "making a boolean");
  return result;
}

napi_value newNull(napi_env env) {
  napi_value result;
  check(napi_get_null(env, &result), "making null");
  return result;
}

napi_value newObject(napi_env env) {
  napi_value result;
  check(napi_create_object(env, &result), "making an object");
  return result;
}

napi_value newArray(napi_env env, size_t length) {
  napi_value result;
  check(napi_create_array_with_length(env, length, &result), "making an array");
  return result;
}

napi_value newError(napi_env env, const std::string& code, const std::string& message) {
  napi_value error;
  check(napi_create_error(env, newString(env, code), newString(env, message), &error), "making an error");
  return error;
}

void setProperty(napi_env env, napi_value object, const char* name, napi_value value) {
  check(napi_set_named_property(env, object, name, value), "setting a property");
}

void setElement(napi_env env, napi_value array, uint32_t index, napi_value value) {
  check(napi_set_element(env, array, index, value), "setting an element");
}

}  // namespace simsiam
