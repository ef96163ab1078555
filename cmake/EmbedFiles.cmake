# edgefront_embed_files(TARGET FUNCTION FILES...): compiles text files into TARGET. The generated
# source defines `const std::map<std::string, std::string> &FUNCTION()` in namespace edgefront, by
# file name.
function(edgefront_embed_files target function)
    set(output ${CMAKE_CURRENT_BINARY_DIR}/${function}.cpp)
    list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE files)
    add_custom_command(OUTPUT ${output}
        COMMAND ${CMAKE_COMMAND} -D OUTPUT=${output} -D FUNCTION=${function} -D "FILES=${files}"
                -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
        DEPENDS ${files} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
        VERBATIM)
    target_sources(${target} PRIVATE ${output})
endfunction()
