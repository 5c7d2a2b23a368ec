#include "trace.h"

#include <cstring>

#include "constant.h"
#include "operation.h"
#include "runtime.h"
#include "status.h"

namespace simsiam {
namespace {

// {node, tensors: [{index, dtype, shape}]}: shape is null where inference leaves it open.
napi_value describeTensor(napi_env env, Trace* trace, TF_Output output) {
  Status status;
  napi_value result = newObject(env), shape = newNull(env);
  const int rank = TF_GraphGetTensorNumDims(trace->graph(), output, status.get());
  status.check();
  if (rank >= 0) {
    std::vector<int64_t> dimensions(rank);
    TF_GraphGetTensorShape(trace->graph(), output, dimensions.data(), rank, status.get());
    status.check();
    bool known = true;
    for (int64_t dimension : dimensions) known = known && dimension >= 0;
    if (known) {
      shape = newArray(env, rank);
      for (int i = 0; i < rank; i++) setElement(env, shape, i, newNumber(env, dimensions[i]));
    }
  }
  setProperty(env, result, "index", newNumber(env, trace->add(output)));
  setProperty(env, result, "dtype", newNumber(env, TF_OperationOutputType(output)));
  setProperty(env, result, "shape", shape);
  return result;
}

napi_value describe(napi_env env, Trace* trace, TF_Operation* operation, int outputs) {
  napi_value result = newObject(env), tensors = newArray(env, outputs);
  for (int i = 0; i < outputs; i++) setElement(env, tensors, i, describeTensor(env, trace, {operation, i}));
  setProperty(env, result, "node", newString(env, TF_OperationName(operation)));
  setProperty(env, result, "tensors", tensors);
  return result;
}

std::vector<TF_Output> toOutputs(napi_env env, const Trace& trace, napi_value indices) {
  std::vector<TF_Output> outputs;
  for (double index : toNumbers<double>(env, indices)) outputs.push_back(trace.at(index));
  return outputs;
}

}  // namespace

TF_OperationDescription* Trace::begin(const std::string& op) {
  return TF_NewOperation(graph_, op.c_str(), (op + "_" + std::to_string(nodes_++)).c_str());
}

TF_Operation* Trace::finish(TF_OperationDescription* description) {
  Status status;
  TF_Operation* operation = TF_FinishOperation(description, status.get());
  status.check();
  return operation;
}

TF_Output Trace::at(double index) const {
  if (!(index >= 0 && index < tensors_.size())) throw Failure(kMisuse, "no symbolic tensor of this index in the trace");
  return tensors_[static_cast<size_t>(index)];
}

double Trace::add(TF_Output output) {
  tensors_.push_back(output);
  return static_cast<double>(tensors_.size() - 1);
}

// beginTrace() -> trace
napi_value beginTrace(napi_env env, napi_callback_info) { return box<Trace>(env, std::make_shared<Trace>(), deleteBox<Trace>); }

// addPlaceholder(trace, dtype, shape)
napi_value addPlaceholder(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  auto trace = unbox<Trace>(env, args[0]);
  const auto dtype = static_cast<TF_DataType>(static_cast<int>(toNumber(env, args[1])));
  const auto shape = toNumbers<int64_t>(env, args[2]);
  TF_OperationDescription* description = trace->begin("Placeholder");
  TF_SetAttrType(description, "dtype", dtype);
  TF_SetAttrShape(description, "shape", shape.data(), shape.size());
  return describe(env, trace.get(), trace->finish(description), 1);
}

// addConstant(trace, dtype, shape, values)
napi_value addConstant(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  auto trace = unbox<Trace>(env, args[0]);
  const auto dtype = static_cast<TF_DataType>(static_cast<int>(toNumber(env, args[1])));
  const auto shape = toNumbers<int64_t>(env, args[2]);
  return describe(env, trace.get(), constant(env, trace.get(), dtype, shape, args[3]), 1);
}

// addOperation(trace, op, attributes, inputs, outputs, controls)
napi_value addOperation(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  auto trace = unbox<Trace>(env, args[0]);
  const std::string op = toString(env, args[1]);
  TF_Operation* operation = addNode(env, trace.get(), op, args[2], toOutputs(env, *trace, args[3]), toOutputs(env, *trace, args[5]));
  const int asked = static_cast<int>(toNumber(env, args[4])), have = TF_OperationNumOutputs(operation);
  if (asked > have) throw Failure(kMisuse, op + " has " + std::to_string(have) + " outputs, not " + std::to_string(asked));
  return describe(env, trace.get(), operation, asked);
}

// setShape(trace, tensor, shape): what the caller knows beyond TensorFlow's inference.
napi_value setShape(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  auto trace = unbox<Trace>(env, args[0]);
  const auto shape = toNumbers<int64_t>(env, args[2]);
  Status status;
  TF_GraphSetTensorShape(trace->graph(), trace->at(toNumber(env, args[1])), shape.data(), shape.size(), status.get());
  status.check();
  return nullptr;
}

// finishTrace(runtime, trace, name, inputs, outputs) -> {function, nodes}
napi_value finishTrace(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  auto runtime = unbox<Runtime>(env, args[0]);
  auto trace = unbox<Trace>(env, args[1]);
  const std::string name = toString(env, args[2]);
  const auto inputs = toOutputs(env, *trace, args[3]);
  auto outputs = toOutputs(env, *trace, args[4]);
  for (auto& output : outputs) {
    // A function can't answer with its own input: a node must stand between.
    if (strcmp(TF_OperationOpType(output.oper), "Placeholder") != 0) continue;
    TF_OperationDescription* identity = trace->begin("Identity");
    TF_AddInput(identity, output);
    output = {trace->finish(identity), 0};
  }
  Status status;
  TF_Function* function = TF_GraphToFunction(trace->graph(), name.c_str(), 0, -1, nullptr, inputs.size(), inputs.data(),
                                             outputs.size(), outputs.data(), nullptr, nullptr, nullptr, status.get());
  status.check();
  napi_value result = newObject(env);
  auto registered = std::make_shared<Function>(runtime->context(), name, function, outputs.size());
  setProperty(env, result, "function", box<Function>(env, std::move(registered), deleteBox<Function>));
  setProperty(env, result, "nodes", newNumber(env, trace->nodes()));
  return result;
}

// disposeTrace(trace)
napi_value disposeTrace(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  boxOf<Trace>(env, args[0])->object.reset();
  return nullptr;
}

}  // namespace simsiam
