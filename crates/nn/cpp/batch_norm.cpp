// Batch normalisation over the images of all ranks.
#include "error.h"
#include "world.h"

#include <ATen/ops/batch_norm_update_stats.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/native_batch_norm_backward.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>

namespace {
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Half precision holds no sums.
at::Tensor summable(const at::Tensor& x) { return x.scalar_type() == at::kBFloat16 ? x.to(at::kFloat) : x; }

// Per channel.
struct Moments {
  at::Tensor mean, variance;
  at::Tensor count;  // one number, of all ranks' values
};

Moments moments(const World& world, const at::Tensor& x) {
  const auto channels = x.size(1);
  const auto [mean, variance] = at::batch_norm_update_stats(summable(x), std::nullopt, std::nullopt, 0.0);
  const auto own = world.counts ? static_cast<double>(x.numel() / channels) : 0.0;
  // A row of each rank; the others' are 0 here, so that the sum is the table.
  auto table = at::zeros({world.size, 2 * channels + 1}, mean.options());
  table.select(0, world.rank).copy_(at::cat({mean, variance, at::full({1}, own, mean.options())}));
  world.sum(table, world.patience);
  const auto counts = table.narrow(1, 2 * channels, 1), count = counts.sum();
  const auto means = table.narrow(1, 0, channels);
  const auto joint = (means * counts).sum(0) / count;
  const auto squares = table.narrow(1, channels, channels) + (means - joint).square();
  return {joint, (squares * counts).sum(0) / count, count};
}

struct JointBatchNorm : torch::autograd::Function<JointBatchNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            const at::Tensor* running_mean, const at::Tensor* running_variance, double momentum, double epsilon,
                            const World* world) {
    const auto [mean, variance, count] = moments(*world, x);
    if (running_mean != nullptr) {
      running_mean->mul_(1 - momentum).add_(mean, momentum);
      running_variance->mul_(1 - momentum).add_(variance * (count / (count - 1)), momentum);
    }
    context->save_for_backward({x, weight, mean, variance, count});
    context->saved_data["world"] = reinterpret_cast<int64_t>(world);
    context->saved_data["counts"] = world->counts;
    context->saved_data["epsilon"] = epsilon;
    return std::get<0>(at::native_batch_norm(x, weight, bias, mean, variance, /*training=*/false, 0.0, epsilon));
  }

  // γ / σ · (g − mean of g − x̂ · mean of g·x̂), the means over all ranks. Weights get this rank's part of their gradient.
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1], &mean = saved[2], &variance = saved[3], &count = saved[4];
    const auto epsilon = context->saved_data["epsilon"].toDouble();
    const auto& world = *reinterpret_cast<const World*>(context->saved_data["world"].toInt());
    const auto inverse = (variance + epsilon).rsqrt();
    // The CPU reads mean and variance, a GPU mean and inverse.
    const auto [none, of_weight, of_bias] = at::native_batch_norm_backward(gradients[0], x, weight, mean, variance, mean, inverse,
                                                                           /*train=*/false, epsilon, {false, true, true});
    const bool counts = context->saved_data["counts"].toBool();
    auto sums = at::stack({of_bias, of_weight});
    if (!counts) sums.zero_();
    world.sum(sums, world.patience);
    if (!counts) sums.zero_();  // what does not count moved no mean either
    const auto means = sums / count;
    const auto along = [](const at::Tensor& values) { return values.reshape({1, -1, 1, 1}); };
    // Differences first: of few values little is left of them, which rounding must not drown.
    const auto centred = summable(x) - along(mean);
    auto of_x = summable(gradients[0]) - along(means.select(0, 0));
    of_x.addcmul_(centred, along(inverse * means.select(0, 1)), -1).mul_(along(weight * inverse));
    return {of_x.to(x.scalar_type()), of_weight, of_bias, {}, {}, {}, {}, {}};
  }
};
}  // namespace

// Normalises x by the statistics of all ranks' images; moves the running ones unless they are null.
extern "C" at::Tensor* sga_joint_batch_norm(const World* world, const at::Tensor* x, const at::Tensor* weight, const at::Tensor* bias,
                                            const at::Tensor* running_mean, const at::Tensor* running_variance, double momentum,
                                            double epsilon) {
  return owned([&] { return JointBatchNorm::apply(*x, *weight, *bias, running_mean, running_variance, momentum, epsilon, world); });
}
