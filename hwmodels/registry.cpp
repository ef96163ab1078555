// The list of the kinds of hardware.
#include "hwmodels/accelerator_model.h"
#include "hwmodels/cpu_model.h"
#include "hwmodels/dsp_model.h"
#include "hwmodels/edgetpu_model.h"

#include <stdexcept>

namespace edgefront {

std::unique_ptr<CostModel> make_cost_model(Target target) {
    switch (target.kind) {
    case TargetKind::cpu: return std::make_unique<CpuModel>(std::move(target));
    case TargetKind::dsp: return std::make_unique<DspModel>(std::move(target));
    case TargetKind::edgetpu: return std::make_unique<EdgeTpuModel>(std::move(target));
    case TargetKind::gpu:
    case TargetKind::npu: return std::make_unique<AcceleratorModel>(std::move(target));
    }
    throw std::logic_error("a kind of target without a model");
}

const std::vector<ConstantSpec> &constant_specs(TargetKind kind) {
    switch (kind) {
    case TargetKind::cpu: return CpuModel::specs();
    case TargetKind::dsp: return DspModel::specs();
    case TargetKind::edgetpu: return EdgeTpuModel::specs();
    case TargetKind::gpu:
    case TargetKind::npu: return AcceleratorModel::specs();
    }
    throw std::logic_error("a kind of target without constants");
}

} // namespace edgefront
