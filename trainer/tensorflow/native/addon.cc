// What JavaScript sees of the addon. The contract is trainer/tensorflow/native.ts.
#include "exchange.h"
#include "js.h"
#include "process_exit.h"
#include "read.h"
#include "runtime.h"
#include "tensors.h"
#include "trace.h"
#include "processors.h"

namespace simsiam {
namespace {

napi_value tensorflowVersion(napi_env env, napi_callback_info) { return newString(env, TF_Version()); }

template <class Value>
napi_value hasConvolutions(napi_env env, napi_callback_info) { return newBoolean(env, processorLoops<Value>() != nullptr); }
napi_value bfloat16Multiplies(napi_env env, napi_callback_info) { return newBoolean(env, multipliesBfloat16()); }

void add(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function;
  check(napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function), "exporting a function");
  setProperty(env, exports, name, function);
}

napi_value initialize(napi_env env, napi_value exports) {
  add(env, exports, "tensorflowVersion", guarded<tensorflowVersion>);
  add(env, exports, "hasConvolutions", guarded<hasConvolutions<float>>);
  add(env, exports, "hasBfloat16Convolutions", guarded<hasConvolutions<uint16_t>>);
  add(env, exports, "multipliesBfloat16", guarded<bfloat16Multiplies>);
  add(env, exports, "leaveWithoutDestructors", guarded<leaveWithoutDestructors>);
  add(env, exports, "openRuntime", guarded<openRuntime>);
  add(env, exports, "joinCluster", guarded<joinCluster>);
  add(env, exports, "joinExchange", guarded<joinExchange>);
  add(env, exports, "leaveExchange", guarded<leaveExchange>);
  add(env, exports, "onGpu", guarded<onGpu>);
  add(env, exports, "closeRuntime", guarded<closeRuntime>);
  add(env, exports, "beginTrace", guarded<beginTrace>);
  add(env, exports, "addPlaceholder", guarded<addPlaceholder>);
  add(env, exports, "addConstant", guarded<addConstant>);
  add(env, exports, "addOperation", guarded<addOperation>);
  add(env, exports, "setShape", guarded<setShape>);
  add(env, exports, "finishTrace", guarded<finishTrace>);
  add(env, exports, "disposeTrace", guarded<disposeTrace>);
  add(env, exports, "callFunction", guarded<callFunction>);
  add(env, exports, "cancelCall", guarded<cancelCall>);
  add(env, exports, "disposeFunction", guarded<disposeFunction>);
  add(env, exports, "createTensors", guarded<createTensors>);
  add(env, exports, "sliceTensors", guarded<sliceTensors>);
  add(env, exports, "concatTensors", guarded<concatTensors>);
  add(env, exports, "disposeTensors", guarded<disposeTensors>);
  add(env, exports, "readTensors", guarded<readTensors>);
  return exports;
}

}  // namespace
}  // namespace simsiam

NAPI_MODULE_INIT() { return simsiam::initialize(env, exports); }
