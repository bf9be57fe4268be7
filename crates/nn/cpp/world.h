// Several processes that train one network, each on its part of the images: c10d with Gloo, and with NCCL between GPUs.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>

struct World {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::Backend> group;      // Gloo
  c10::intrusive_ptr<c10d::Backend> over_gpus;  // NCCL; null: GPUs' numbers go by Gloo as well
  int rank = 0, size = 1;
  std::chrono::milliseconds patience{0};  // of what goes on during a step
  int64_t images = 1;                     // of the minibatch, all ranks' together
  bool counts = true;                     // false while the images of this rank only stand in for images it has not
  mutable std::atomic<bool> broken{false};  // something has failed between processes

  c10d::Backend& way_of(const at::Tensor& tensor) const { return over_gpus && tensor.is_cuda() ? *over_gpus : *group; }

  // Begins to sum the tensor over all ranks, in place. Every rank must ask for the same things in the same order.
  c10::intrusive_ptr<c10d::Work> begin_sum(const at::Tensor& tensor, std::chrono::milliseconds most) const {
    std::vector<at::Tensor> tensors{tensor};
    c10d::AllreduceOptions options;
    options.timeout = most;
    return way_of(tensor).allreduce(tensors, options);
  }

  void sum(const at::Tensor& tensor, std::chrono::milliseconds most) const {
    collectively([&] { begin_sum(tensor, most)->wait(); });
  }

  void broadcast(const at::Tensor& tensor, std::chrono::milliseconds most) const {
    std::vector<at::Tensor> tensors{tensor};
    c10d::BroadcastOptions options;
    options.timeout = most;
    collectively([&] { way_of(tensor).broadcast(tensors, options)->wait(); });
  }

  // What fails here fails because another rank is gone; the words are those by which error.rs knows it.
  template <typename Work>
  void collectively(Work work) const {
    try {
      // NCCL gives a rank up by itself, while what waited for it goes on with numbers that mean nothing.
      if (over_gpus && over_gpus->getError() != c10d::ErrorType::SUCCESS) throw std::runtime_error("NCCL waited in vain");
      work();
    } catch (const std::exception& error) {
      broken = true;
      if (over_gpus) over_gpus->abort();  // a GPU that waits for it would wait on
      throw std::runtime_error(std::string("another rank is gone: ") + error.what());
    }
  }
};
