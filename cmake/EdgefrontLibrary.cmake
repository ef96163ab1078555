include(GNUInstallDirs)

# Compile options shared by every target of the project.
add_library(edgefront_options INTERFACE)
target_include_directories(edgefront_options INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/edgefront>)
target_compile_features(edgefront_options INTERFACE cxx_std_17)
target_compile_options(edgefront_options INTERFACE $<BUILD_INTERFACE:-Wall;-Wextra;-Wpedantic>
    $<$<BOOL:${EDGEFRONT_WERROR}>:$<BUILD_INTERFACE:-Werror>>)
if(EDGEFRONT_SANITIZE)
    target_compile_options(edgefront_options INTERFACE 
        $<BUILD_INTERFACE:-fsanitize=address,undefined;-fno-sanitize-recover=undefined;-fno-omit-frame-pointer>)
    target_link_options(edgefront_options INTERFACE -fsanitize=address,undefined)
    # Instrumented code makes g++ 12 suspect its own <regex>.
    target_compile_options(edgefront_options INTERFACE $<BUILD_INTERFACE:-Wno-maybe-uninitialized>)
endif()
set_target_properties(edgefront_options PROPERTIES EXPORT_NAME options)
install(TARGETS edgefront_options EXPORT edgefront)

# edgefront_library(NAME SOURCES... [LINKS left neighbours and packages...])
function(edgefront_library name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
    add_library(edgefront_${name} STATIC ${ARG_SOURCES})
    target_link_libraries(edgefront_${name} PUBLIC edgefront_options ${ARG_LINKS})
    set_target_properties(edgefront_${name} PROPERTIES EXPORT_NAME ${name})
    install(TARGETS edgefront_${name} EXPORT edgefront)
endfunction()
