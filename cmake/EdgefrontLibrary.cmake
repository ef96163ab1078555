# Compile options shared by every target of the project.
add_library(edgefront_options INTERFACE)
target_include_directories(edgefront_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(edgefront_options INTERFACE -Wall -Wextra -Wpedantic
    $<$<BOOL:${EDGEFRONT_WERROR}>:-Werror>)
if(EDGEFRONT_SANITIZE)
    target_compile_options(edgefront_options INTERFACE -fsanitize=address,undefined
        -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
    target_link_options(edgefront_options INTERFACE -fsanitize=address,undefined)
endif()

# edgefront_library(NAME SOURCES... [LINKS left neighbours and packages...])
function(edgefront_library name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
    add_library(edgefront_${name} STATIC ${ARG_SOURCES})
    target_link_libraries(edgefront_${name} PUBLIC edgefront_options ${ARG_LINKS})
endfunction()
