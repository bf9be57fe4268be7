// Sums gradients over all ranks while the way back still makes others.
#include "error.h"
#include "world.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>

#include <vector>

namespace {
// Bytes that are sent together: few enough to begin early, enough to be worth a message.
constexpr int64_t BUCKET = 25 << 20;

struct Bucket {
  std::vector<size_t> members;  // weights
  int64_t numbers = 0;
  size_t missing = 0;
  at::Tensor flat;
  c10::intrusive_ptr<c10d::Work> on_its_way;
};
}  // namespace

struct Reducer {
  const World& world;
  std::vector<at::Tensor> weights, gradients;
  std::vector<unsigned> hooks;
  std::vector<int64_t> order;  // in which the first way back made them
  std::vector<Bucket> buckets;
  std::vector<int64_t> bucket_of;  // each weight; -1: none
  size_t sent = 0;
  bool listening = false;

  Reducer(const World& world, at::Tensor* const* list, size_t count) : world(world) {
    for (size_t i = 0; i < count; ++i) {
      weights.push_back(*list[i]);
      hooks.push_back(weights[i].register_hook([this, i](const at::TensorBase& gradient) { take(i, at::Tensor(gradient)); }));
    }
  }

  ~Reducer() {
    for (size_t i = 0; i < weights.size(); ++i) weights[i].remove_hook(hooks[i]);
  }

  void begin() {
    gradients.assign(weights.size(), at::Tensor());
    order.clear();
    sent = 0;
    for (auto& bucket : buckets) bucket.missing = bucket.members.size();
    listening = true;
  }

  void take(size_t weight, const at::Tensor& gradient) {
    if (!listening || !gradient.defined()) return;
    gradients[weight] = gradient;
    order.push_back(static_cast<int64_t>(weight));
    if (buckets.empty()) return;
    const auto bucket = bucket_of[weight];
    TORCH_CHECK(bucket >= 0, "a weight has a gradient that had none in the first step");
    --buckets[bucket].missing;
    world.collectively([&] { send(/*incomplete=*/false); });
  }

  // Buckets go in one order on all ranks, whichever is complete first.
  void send(bool incomplete) {
    for (; sent < buckets.size() && (incomplete || buckets[sent].missing == 0); ++sent) {
      auto& bucket = buckets[sent];
      bucket.flat = at::empty({bucket.numbers}, weights[bucket.members[0]].options().requires_grad(false));
      int64_t place = 0;
      for (const auto member : bucket.members) {
        auto& gradient = gradients[member];
        const auto part = as_laid_out(bucket.flat, place, weights[member]);
        if (gradient.defined()) part.copy_(gradient);
        else part.zero_();
        gradient = part;
        place += part.numel();
      }
      bucket.on_its_way = world.begin_sum(bucket.flat, world.patience);
    }
  }

  void finish() {
    listening = false;
    const c10::NoGradGuard no_grad;
    if (buckets.empty()) fill_buckets();
    world.collectively([&] {
      send(/*incomplete=*/true);
      for (auto& bucket : buckets) {
        bucket.on_its_way->wait();
        bucket.on_its_way.reset();
        bucket.flat.reset();
      }
    });
  }

  // As rank 0 made them: the order is the same everywhere, and must be.
  void fill_buckets() {
    order.resize(weights.size(), -1);  // a weight that the loss does not depend on has no gradient
    const auto agreed = at::tensor(order);
    world.broadcast(agreed, world.patience);
    bucket_of.assign(weights.size(), -1);
    for (size_t i = 0; i < weights.size(); ++i) {
      const auto weight = agreed[static_cast<int64_t>(i)].item<int64_t>();
      if (weight < 0) break;
      const auto& tensor = weights[weight];
      if (buckets.empty() || buckets.back().numbers * tensor.element_size() >= BUCKET) buckets.emplace_back();
      bucket_of[weight] = static_cast<int64_t>(buckets.size()) - 1;
      buckets.back().members.push_back(weight);
      buckets.back().numbers += tensor.numel();
    }
  }

  // A part of the flat tensor in the weight's shape and layout.
  static at::Tensor as_laid_out(const at::Tensor& flat, int64_t place, const at::Tensor& weight) {
    return flat.as_strided(weight.sizes(), weight.strides(), place);
  }
};

extern "C" {

Reducer* sga_reducer_new(const World* world, at::Tensor* const* weights, size_t count) {
  Reducer* reducer = nullptr;
  done([&] { reducer = new Reducer(*world, weights, count); });
  return reducer;
}

void sga_reducer_free(Reducer* reducer) { delete reducer; }

// The next way back is one to reduce.
void sga_reducer_begin(Reducer* reducer) { reducer->begin(); }

// Waits for the sums: one for each weight, null where there is no gradient, for the caller to free.
bool sga_reducer_finish(Reducer* reducer, at::Tensor** sums) {
  return done([&] {
    reducer->finish();
    for (size_t i = 0; i < reducer->gradients.size(); ++i) {
      auto& sum = reducer->gradients[i];
      sums[i] = sum.defined() ? new at::Tensor(std::move(sum)) : nullptr;
    }
  });
}

}  // extern "C"
