/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "prepare.h"

#include "../adapters/rights.h"
#include "../network/guests.h"
#include "../network/network.h"
#include "../network/reservation.h"
#include "../rebase/rebase.h"
#include "../snapshot/layer.h"
#include "../stream/moving.h"
#include "console-log.h"
#include "id-range.h"
#include "readdress.h"
#include "record.h"
#include "rename.h"
#include "render.h"
#include "uplink.h"

/* Where a monitor was killed a moment ago its veth is still there, and LXC would fail to make one of that name. */
static void delete_leftover(struct lb_context *ctx, const struct record *record)
{
	CLEANUP_TEXT_LIST struct text_list ports = { 0 };
	char port[PORT_NAME_SIZE];

	uplink_name(ctx, record, port);
	if (text_list_add(&ports, port) == 0)
		uplink_delete(ctx, &ports);
}

/* What it was started with before is mounted no more. */
static int forget_mounted(struct lb_context *ctx, const char *name, int container_fd, struct record *record)
{
	int r;

	if (!record->mounted_layers.count)
		return 0;
	record->mounted_layers.count = 0;
	r = layers_sweep_later(ctx);
	return r < 0 ? r : record_write(ctx, container_fd, name, record);
}

int prepare_for_start(struct lb_context *ctx, const char *name, int container_fd)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	struct record record = { 0 };
	int r = record_read(ctx, container_fd, name, &record);

	if (r < 0)
		return r;
	r = moving_before_start(ctx, container_fd, name, true);
	if (r == 0 && *record.renamed_from)
		r = rename_finish(ctx, name, container_fd, &record);
	if (r == 0 && *record.ipv4_before)
		r = readdress_finish(ctx, name, container_fd, &record);
	if (r == 0)
		r = forget_mounted(ctx, name, container_fd, &record);
	if (r == 0)
		r = rebase_before_start(ctx, name, container_fd, &record);
	if (r == 0)
		r = network_require(ctx, record.identity.network);
	if (r == 0)
		r = rights_require_kernel(ctx, !record.privileged);
	if (r == 0 && record.id_count)
		r = id_range_ensure(ctx, record.id_start, record.id_count);
	if (r == 0)
		r = console_log_prepare(ctx, name);
	if (r == 0)
		r = render_config(ctx, container_fd, name, &record);
	if (r >= 0)
		r = network_plan_make(ctx, record.identity.network, &plan);
	if (r == 0)
		r = reservation_before_start(ctx, &plan, name, &record.identity);
	if (r == 0)
		r = guests_admit(ctx, &plan, name, &record);
	if (r >= 0)
		delete_leftover(ctx, &record);
	record_free(&record);
	return r < 0 ? r : 0;
}
