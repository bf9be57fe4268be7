// How the shim tells what went wrong.
#pragma once

#include <ATen/core/Tensor.h>

#include <exception>
#include <string>

extern thread_local std::string last_error;

// Whether `work` ended without throwing; else: see sga_last_error.
template <typename Work>
bool done(Work work) {
  try {
    work();
    return true;
  } catch (const std::exception& error) {
    last_error = error.what();
    return false;
  }
}

// What `make` returns, for the caller to free; null when it throws: see sga_last_error.
template <typename Make>
at::Tensor* owned(Make make) {
  at::Tensor* result = nullptr;
  done([&] { result = new at::Tensor(make()); });
  return result;
}
