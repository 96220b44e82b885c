# What 'make install' lays down: both libraries, the headers, the command, its manual page, and how
# pkg-config and CMake find them. DESTDIR and CMAKE_INSTALL_PREFIX are honoured.

include(CMakePackageConfigHelpers)

install(FILES include/tarn.h include/tarn_typed.h TYPE INCLUDE)
install(TARGETS libtarn_static libtarn_shared EXPORT tarn)
if(TARGET tarn)
  install(TARGETS tarn)
endif()
if(EXISTS ${PROJECT_SOURCE_DIR}/docs/tarn.1)
  install(FILES docs/tarn.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()

# The .pc file finds the rest from where it lies, so an installed tree can be moved.
file(RELATIVE_PATH tarn_pc_prefix
  ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(packaging/tarn.pc.in tarn.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/tarn.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(tarn_config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tarn)
install(EXPORT tarn NAMESPACE tarn:: DESTINATION ${tarn_config_dir} FILE tarnTargets.cmake)
configure_package_config_file(packaging/tarnConfig.cmake.in tarnConfig.cmake
  INSTALL_DESTINATION ${tarn_config_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(tarnConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tarnConfig.cmake ${PROJECT_BINARY_DIR}/tarnConfigVersion.cmake
  DESTINATION ${tarn_config_dir})
