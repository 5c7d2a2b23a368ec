// Reading JavaScript values and answering with them: a thin layer over N-API that turns every failure into a
// C++ exception, which `guarded` throws again as a JavaScript Error with a `code`.
#ifndef SIMSIAM_JS_H_
#define SIMSIAM_JS_H_

#include <node_api.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <vector>

namespace simsiam {

// Becomes a JavaScript Error whose `code` is `code`.
struct Failure : std::exception {
  Failure(std::string code, std::string message) : code(std::move(code)), message(std::move(message)) {}
  const char* what() const noexcept override { return message.c_str(); }
  std::string code;
  std::string message;
};

// The code of a failure that only a defect of our own TypeScript can cause.
inline constexpr const char* kMisuse = "NATIVE_MISUSE";

inline void check(napi_status status, const char* what) {
  if (status != napi_ok) throw Failure(kMisuse, std::string("N-API: ") + what + " failed (" + std::to_string(status) + ")");
}

// Arguments of a call; missing ones are undefined.
class Arguments {
 public:
  static constexpr size_t kMost = 6;
  Arguments(napi_env env, napi_callback_info info) {
    size_t count = kMost;
    check(napi_get_cb_info(env, info, &count, values_, nullptr, nullptr), "napi_get_cb_info");
  }
  napi_value operator[](size_t i) const { return values_[i]; }

 private:
  napi_value values_[kMost];
};

napi_valuetype typeOf(napi_env env, napi_value value);
std::string toString(napi_env env, napi_value value);
// Booleans count as 0 and 1.
double toNumber(napi_env env, napi_value value);
bool isArray(napi_env env, napi_value value);
uint32_t lengthOf(napi_env env, napi_value array);
napi_value elementOf(napi_env env, napi_value array, uint32_t index);
napi_value propertyOf(napi_env env, napi_value object, const char* name);

// A lone number counts as an array of one, as tfjs writes its attributes.
template <class T>
std::vector<T> toNumbers(napi_env env, napi_value value) {
  std::vector<T> result;
  if (!isArray(env, value)) {
    result.push_back(static_cast<T>(toNumber(env, value)));
    return result;
  }
  const uint32_t count = lengthOf(env, value);
  result.reserve(count);
  for (uint32_t i = 0; i < count; i++) result.push_back(static_cast<T>(toNumber(env, elementOf(env, value, i))));
  return result;
}
std::vector<std::string> toStrings(napi_env env, napi_value array);

// The memory of a typed array or DataView. It belongs to JavaScript: copy before returning.
struct Bytes {
  const void* data = nullptr;
  size_t length = 0;
};
bool toBytes(napi_env env, napi_value value, Bytes* bytes);

napi_value newString(napi_env env, const std::string& value);
napi_value newNumber(napi_env env, double value);
napi_value newBoolean(napi_env env, bool value);
napi_value newNull(napi_env env);
napi_value newObject(napi_env env);
napi_value newArray(napi_env env, size_t length);
napi_value newError(napi_env env, const std::string& code, const std::string& message);
void setProperty(napi_env env, napi_value object, const char* name, napi_value value);
void setElement(napi_env env, napi_value array, uint32_t index, napi_value value);

using Callback = napi_value (*)(napi_env, napi_callback_info);
// The N-API callback that runs F and throws its Failure in JavaScript.
template <Callback F>
napi_value guarded(napi_env env, napi_callback_info info) {
  try {
    return F(env, info);
  } catch (const Failure& failure) {
    napi_throw_error(env, failure.code.c_str(), failure.message.c_str());
  } catch (const std::exception& error) {
    napi_throw_error(env, kMisuse, error.what());
  }
  return nullptr;
}

// A native object held by a JavaScript external. T::kTag tells the kinds apart, since JavaScript may pass any external.
template <class T>
struct Box {
  uint64_t tag = T::kTag;
  std::shared_ptr<T> object;
};

template <class T>
napi_value box(napi_env env, std::shared_ptr<T> object, napi_finalize finalize) {
  auto* boxed = new Box<T>{T::kTag, std::move(object)};
  napi_value external;
  const napi_status status = napi_create_external(env, boxed, finalize, nullptr, &external);
  if (status != napi_ok) delete boxed;
  check(status, "napi_create_external");
  return external;
}

template <class T>
Box<T>* boxOf(napi_env env, napi_value value) {
  void* data = nullptr;
  if (typeOf(env, value) == napi_external) napi_get_value_external(env, value, &data);
  auto* boxed = static_cast<Box<T>*>(data);
  if (boxed == nullptr || boxed->tag != T::kTag) throw Failure(kMisuse, std::string("expected a native ") + T::kName);
  return boxed;
}

template <class T>
std::shared_ptr<T> unbox(napi_env env, napi_value value) {
  auto object = boxOf<T>(env, value)->object;
  if (!object) throw Failure("NATIVE_DISPOSED", std::string("this ") + T::kName + " was disposed of before");
  return object;
}

template <class T>
void deleteBox(napi_env, void* data, void*) {
  delete static_cast<Box<T>*>(data);
}

}  // namespace simsiam

#endif  // SIMSIAM_JS_H_
