# SPDX-License-Identifier: Apache-2.0
# Writes OUT, a C file with the shipped sets of rules in it: every *.map of FOLDER, sorted by name. Run by the build.
file(GLOB maps ${FOLDER}/*.map)
list(SORT maps)
set(arrays "")
set(rows "")
set(number 0)
foreach(map ${maps})
  get_filename_component(name ${map} NAME_WE)
  file(READ ${map} hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND arrays "static const char text_${number}[] = {\n${bytes} 0 };\n")
  string(APPEND rows "\t{ \"${name}\", text_${number} },\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUT} "/* Made of lib/oci/rules. */\n#include \"oci/rules.h\"\n\n${arrays}
const struct rules_shipped rules_shipped[] = {\n${rows}\t{ 0, 0 },\n};\n")
