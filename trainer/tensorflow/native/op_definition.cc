#include "op_definition.h"

#include "status.h"

namespace simsiam {
namespace {

// A reader of the protobuf wire format, enough for tensorflow.OpDef (tensorflow/core/framework/op_def.proto), so that
// the addon needs no protobuf library.
class Wire {
 public:
  Wire() = default;
  Wire(const void* data, size_t length) : at_(static_cast<const uint8_t*>(data)), end_(at_ + length) {}

  // Steps to the next field. `message` is the content of a length-delimited one.
  bool next(int* field, Wire* message) {
    if (at_ >= end_) return false;
    const uint64_t tag = varint();
    *field = static_cast<int>(tag >> 3);
    switch (tag & 7) {
      case 0: varint(); break;
      case 1: at_ += 8; break;
      case 5: at_ += 4; break;
      default: {
        const uint64_t length = varint();
        *message = Wire(at_, length);
        at_ += length;
      }
    }
    return true;
  }
  std::string text() const { return std::string(reinterpret_cast<const char*>(at_), end_ - at_); }

 private:
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; at_ < end_; shift += 7) {
      const uint8_t byte = *at_++;
      value |= static_cast<uint64_t>(byte & 127) << shift;
      if (byte < 128) break;
    }
    return value;
  }
  const uint8_t* at_ = nullptr;
  const uint8_t* end_ = nullptr;
};

OpInput parseInput(Wire argument) {
  OpInput input;
  int field;
  Wire value;
  while (argument.next(&field, &value)) {
    if (field == 4) input.typeAttribute = value.text();
    if (field == 5) input.numberAttribute = value.text();
    if (field == 6) input.typeListAttribute = value.text();
  }
  return input;
}

OpDefinition parse(Wire wire) {
  OpDefinition definition;
  int field;
  Wire message;
  while (wire.next(&field, &message)) {
    if (field == 2) {
      const OpInput input = parseInput(message);
      for (const auto& name : {input.typeAttribute, input.numberAttribute, input.typeListAttribute}) {
        if (!name.empty()) definition.inferred.insert(name);
      }
      definition.inputs.push_back(input);
    } else if (field == 4) {
      std::string name, kind;
      int part;
      Wire value;
      while (message.next(&part, &value)) {
        if (part == 1) name = value.text();
        if (part == 2) kind = value.text();
      }
      definition.attributes[name] = kind;
    }
  }
  return definition;
}

}  // namespace

const OpDefinition& opDefinition(TF_Graph* graph, const std::string& op) {
  static std::map<std::string, OpDefinition> known;
  const auto found = known.find(op);
  if (found != known.end()) return found->second;
  Status status;
  TF_Buffer* buffer = TF_NewBuffer();
  TF_GraphGetOpDef(graph, op.c_str(), buffer, status.get());
  if (status.ok()) known[op] = parse(Wire(buffer->data, buffer->length));
  TF_DeleteBuffer(buffer);
  status.check();
  return known[op];
}

}  // namespace simsiam
