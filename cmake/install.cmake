# cmake --install: the tool, its data, the libraries with their headers, find_package(edgefront).
include(CMakePackageConfigHelpers)

install(TARGETS edgefront)
install(DIRECTORY data/ DESTINATION ${CMAKE_INSTALL_DATADIR}/edgefront)
foreach(folder base dsl schedules hwmodels search reports)
    install(DIRECTORY ${folder}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/edgefront/${folder}
        FILES_MATCHING PATTERN "*.h")
endforeach()

set(edgefront_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/edgefront)
install(EXPORT edgefront NAMESPACE edgefront:: FILE edgefrontTargets.cmake
    DESTINATION ${edgefront_cmake_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/edgefrontConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES cmake/edgefrontConfig.cmake ${PROJECT_BINARY_DIR}/edgefrontConfigVersion.cmake
    DESTINATION ${edgefront_cmake_dir})
