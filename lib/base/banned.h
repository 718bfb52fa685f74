/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

/*
 * Functions that this code does not call: each has a form that carries a size, or an error. The build puts this header
 * in front of every file of lib/ and cmd/ (-include), so a call is a compile error that says so.
 * The system's headers come first, since poison also bites their own declarations.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* With _FORTIFY_SOURCE and clang, some of them are macros. */
#undef gets
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef sprintf
#undef vsprintf
#undef strtok

#pragma GCC poison gets strcpy strcat strncpy strncat sprintf vsprintf atoi atol atoll atof system popen mktemp tmpnam \
	tempnam
#pragma GCC poison strtok asctime ctime gmtime localtime

#endif
