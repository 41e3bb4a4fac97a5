/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../container/container.h"
#include "ready.h"

int lb_container_wait_ready(struct lb_container *container)
{
	const struct boot *boot = &container->record.boot;
	char text[READY_TEXT_SIZE];

	return ready_wait(container->ctx, container->name, boot->wait, (unsigned)boot->timeout_s, text);
}
