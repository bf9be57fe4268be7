// libtorch's CUDA half is there or not when the program runs, and its headers ask for NVIDIA's: what is wanted of it is looked up
// by name.
#pragma once

#include <dlfcn.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

// Bytes for an object whose size its own library alone knows: the largest of torch 2.11 takes 1,112.
constexpr size_t ROOM = 16 << 10;

// A function of the CUDA half; `what` is said where there is none.
template <typename Function>
Function* of_cuda_half(const char* name, const char* what) {
  const auto function = reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
  if (function == nullptr) throw std::runtime_error(std::string("this libtorch has no ") + what);
  return function;
}
