/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/medium.h"

#include "cmd/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whoever closes the terminal or gives up gets the list of what is missing: there is no other error here. */
static char *ask(void *ctx, const char *missing)
{
	char prompt[400];
	struct err none = { 0 };

	(void)ctx;
	(void)snprintf(
		prompt, sizeof(prompt),
		"%s missing. Insert the next medium and type its folder; Enter looks again; q gives up: ", missing);
	char *line = secret_ask(prompt, true, &none);
	if (!line || strcmp(line, "q") != 0)
		return line;
	free(line);
	return NULL;
}

ask_medium *medium_asker(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO) ? ask : NULL;
}
