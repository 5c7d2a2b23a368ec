#include "operation.h"

#include <map>

#include "attributes.h"
#include "constant.h"
#include "op_definition.h"
#include "status.h"

namespace simsiam {
namespace {

using Attributes = std::map<std::string, napi_value>;

Attributes toAttributes(napi_env env, napi_value list) {
  Attributes attributes;
  for (uint32_t i = 0, n = lengthOf(env, list); i < n; i++) {
    napi_value attribute = elementOf(env, list, i);
    attributes[toString(env, propertyOf(env, attribute, "name"))] = propertyOf(env, attribute, "value");
  }
  return attributes;
}

// How many tensors each input of the definition takes. With one list it is the rest; with several the attributes say.
std::vector<size_t> groupSizes(napi_env env, const std::string& op, const OpDefinition& definition,
                               const Attributes& attributes, size_t inputs) {
  size_t lists = 0;
  for (const auto& input : definition.inputs) lists += input.list();
  const size_t singles = definition.inputs.size() - lists;
  std::vector<size_t> sizes;
  size_t used = 0;
  for (const auto& input : definition.inputs) {
    size_t size = 1;
    if (input.list() && lists == 1) {
      size = inputs >= singles ? inputs - singles : 0;
    } else if (input.list()) {
      const bool counted = !input.numberAttribute.empty();
      const auto found = attributes.find(counted ? input.numberAttribute : input.typeListAttribute);
      if (found == attributes.end()) throw Failure(kMisuse, op + ": attributes must say how long its input lists are");
      size = counted ? static_cast<size_t>(toNumber(env, found->second)) : lengthOf(env, found->second);
    }
    sizes.push_back(size);
    used += size;
  }
  if (used != inputs) {
    throw Failure(kMisuse, op + " takes " + std::to_string(used) + " inputs, not " + std::to_string(inputs));
  }
  return sizes;
}

bool isHalf(TF_DataType type) { return type == TF_BFLOAT16 || type == TF_HALF; }

// tfjs is told float32 for bfloat16, so the constants that it adds to such tensors (zeros, epsilons) are float32.
void castConstants(Trace* trace, const OpDefinition& definition, const std::vector<size_t>& sizes,
                   std::vector<TF_Output>* inputs) {
  std::map<std::string, TF_DataType> half;
  const auto each = [&](auto&& visit) {
    size_t at = 0;
    for (size_t i = 0; i < sizes.size(); i++) {
      for (size_t j = 0; j < sizes[i]; j++, at++) visit(definition.inputs[i].typeAttribute, &(*inputs)[at]);
    }
  };
  each([&](const std::string& attribute, TF_Output* input) {
    const TF_DataType type = TF_OperationOutputType(*input);
    if (!attribute.empty() && isHalf(type)) half[attribute] = type;
  });
  if (half.empty()) return;
  each([&](const std::string& attribute, TF_Output* input) {
    const auto found = half.find(attribute);
    if (found == half.end() || TF_OperationOutputType(*input) != TF_FLOAT || !isConstant(input->oper)) return;
    TF_OperationDescription* cast = trace->begin("Cast");
    TF_AddInput(cast, *input);
    TF_SetAttrType(cast, "DstT", found->second);
    *input = {trace->finish(cast), 0};
  });
}

}  // namespace

TF_Operation* addNode(napi_env env, Trace* trace, const std::string& op, napi_value attributeList,
                      std::vector<TF_Output> inputs, const std::vector<TF_Output>& controls) {
  const OpDefinition& definition = opDefinition(trace->graph(), op);
  const Attributes attributes = toAttributes(env, attributeList);
  const auto sizes = groupSizes(env, op, definition, attributes, inputs.size());
  castConstants(trace, definition, sizes, &inputs);
  TF_OperationDescription* description = trace->begin(op);
  size_t at = 0;
  for (size_t i = 0; i < sizes.size(); i++) {
    if (definition.inputs[i].list()) {
      TF_AddInputList(description, inputs.data() + at, static_cast<int>(sizes[i]));
    } else {
      TF_AddInput(description, inputs[at]);
    }
    at += sizes[i];
  }
  for (const auto& control : controls) TF_AddControlInput(description, control.oper);
  std::string wrong;
  for (const auto& [name, value] : attributes) {
    const auto kind = definition.attributes.find(name);
    if (kind == definition.attributes.end() || definition.inferred.count(name) > 0) continue;
    try {
      setAttribute(env, description, name, kind->second, value);
    } catch (const Failure& failure) {
      // A description must be finished once it is begun, so the complaint waits.
      wrong = op + ", attribute " + name + ": " + failure.message;
    }
  }
  if (wrong.empty()) return trace->finish(description);
  Status ignored;
  TF_FinishOperation(description, ignored.get());
  throw Failure(kMisuse, wrong);
}

}  // namespace simsiam
