/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cli.h"
#include "cmd/process.h"

#include <unistd.h>

int main(int argc, char **argv)
{
	struct err e = { 0 };

	if (process_prepare(&e)) {
		static const char text[] =
			"imgpack: cannot start: signals, limits or /dev/null are not as they should be\n";
		(void)process_write(STDERR_FILENO, "standard error", text, sizeof(text) - 1, NULL);
		return err_exit_code(&e);
	}
	return cli_main(argc, argv);
}
