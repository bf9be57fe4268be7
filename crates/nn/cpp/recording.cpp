// CUDA graphs, by ATen's class of them: what a stream is asked for is written down instead of done, and done whenever it is
// replayed, on the same memory.
#include "cuda_half.h"
#include "error.h"

#include <ATen/DeviceAccelerator.h>

#include <utility>

namespace {
constexpr auto WHAT = "CUDA graphs";

// at::cuda::CUDAGraph.
struct Graph;
using Pool = std::pair<unsigned long long, unsigned long long>;

// CUDAGraph(bool keep_graph), ~CUDAGraph(), capture_begin(MempoolId_t, cudaStreamCaptureMode), capture_end(), replay().
constexpr auto MAKE = "_ZN2at4cuda9CUDAGraphC1Eb", END = "_ZN2at4cuda9CUDAGraphD1Ev",
               BEGIN_CAPTURE = "_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode",
               END_CAPTURE = "_ZN2at4cuda9CUDAGraph11capture_endEv", REPLAY = "_ZN2at4cuda9CUDAGraph6replayEv";

// Threads that autograd goes backward on may do what they want meanwhile (cudaStreamCaptureModeThreadLocal).
constexpr int OF_THIS_THREAD = 1;

template <typename... Arguments>
void call(const char* name, Graph* graph, Arguments... arguments) {
  of_cuda_half<void(Graph*, Arguments...)>(name, WHAT)(graph, arguments...);
}
}  // namespace

extern "C" {

// Begins to write down what this thread asks its current stream for; null: see sga_last_error. A graph that fails to begin or to
// end is never freed: libtorch's allocator goes on looking into it.
Graph* sga_recording_begin() {
  Graph* graph = nullptr;
  done([&] {
    const auto make = of_cuda_half<void(Graph*, bool)>(MAKE, WHAT);
    at::accelerator::emptyCache();  // the recording has memory of its own
    const auto made = static_cast<Graph*>(std::calloc(1, ROOM));
    make(made, false);
    call(BEGIN_CAPTURE, made, Pool(0, 0), OF_THIS_THREAD);
    graph = made;
  });
  return graph;
}

bool sga_recording_end(Graph* graph) {
  return done([&] { call(END_CAPTURE, graph); });
}

bool sga_recording_replay(Graph* graph) {
  return done([&] { call(REPLAY, graph); });
}

void sga_recording_free(Graph* graph) {
  done([&] { call(END, graph); });
  std::free(graph);
}

}  // extern "C"
