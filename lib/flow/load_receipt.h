/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_LOAD_RECEIPT_H
#define FLOW_LOAD_RECEIPT_H

#include "flow/archive.h"
#include "flow/receipt.h"
#include "target/target.h"

/* What stands where now. All borrowed. */
struct receipt_of {
	const char *command;
	const char *archive;             /* NULL: there was none */
	const struct digest *id;         /* of the archive, or NULL */
	const char *target;              /* "registry:HOST/PREFIX"; NULL: several, the names tell */
	const struct pack *pack;         /* the images, in the result's order */
	const struct platform *platform; /* of images with several, this one alone; or NULL */
	const struct load_result *result;
};

/* receipt_write() of it. */
int load_receipt(struct receipt_file *file, const struct receipt_of *of, struct err *e);

#endif
