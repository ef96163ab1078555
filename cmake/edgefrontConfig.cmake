# find_package(edgefront): the libraries as edgefront::base, edgefront::dsl, ... edgefront::reports.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(nlohmann_json)
find_dependency(fmt)
find_dependency(Eigen3)
find_dependency(pagmo)
find_dependency(Halide)
include(${CMAKE_CURRENT_LIST_DIR}/edgefrontTargets.cmake)
