/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_CONFIG_H
#define CMD_CONFIG_H

/*
 * The configuration file: options that a person does not want to type each time. YAML (oci/settings.h) whose keys are
 * the long options of words.h, for every command that has them; under a command's name, for that command alone, and
 * then these count.
 *
 *     connections: 16
 *     mirror: [docker.io=mirror.example]      options that may be repeated take a list
 *     fetch:
 *       all-platforms: true                   flags take true or false
 *
 * An option of the command line wins over the file's, and over one that excludes it. Secrets are not taken: a file of
 * settings is copied around and shown to others.
 */

#include "cmd/options.h"

/*
 * Adds what the file says to *o, which holds the command line: the file of --config, or else of IMGPACK_CONFIG ("": no
 * file), or else imgpack/config.yaml in XDG_CONFIG_HOME or ~/.config if it is there. Commands without --config are left
 * alone. ERR_USAGE with file:line:column for keys and values that are not understood; ERR_LOCAL for a file that cannot
 * be read.
 */
int config_merge(struct options *o, struct err *e);

/* Says in *e, about an option that came from the file, where it stands. */
void config_blame(const struct options *o, struct err *e);

#endif
