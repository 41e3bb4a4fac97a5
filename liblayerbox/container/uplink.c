/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "uplink.h"

#include <net/if.h>

#include "../adapters/bridge-port.h"
#include "../adapters/tc.h"
#include "../network/settings.h"

void uplink_name(const struct lb_context *ctx, const struct record *record, char ret_name[PORT_NAME_SIZE])
{
	port_name(network_name(ctx, record->identity.network), record->identity.mac, ret_name);
}

/* Of a network whose settings cannot be read, rather too much is kept apart than too little. */
bool uplink_is_isolated(struct lb_context *ctx, const struct record *record)
{
	struct network_settings network;

	if (record->uplink.isolation != ISOLATION_OF_NETWORK)
		return record->uplink.isolation == ISOLATION_YES;
	return network_settings_load(ctx, record->identity.network, &network) < 0 || network.isolated;
}

bool uplink_needs_hook(struct lb_context *ctx, const struct record *record)
{
	return record->uplink.ingress_bps || uplink_is_isolated(ctx, record);
}

int uplink_apply(struct lb_context *ctx, const char *port, const struct record *record)
{
	int r = bridge_port_set_isolated(ctx, port, uplink_is_isolated(ctx, record));

	if (r < 0)
		return r;
	/*
	 * Frames to the container leave the host's end. Those from it, net.egress, are policed by the bridge's rules.
	 */
	r = record->uplink.ingress_bps ? tc_set_rate(ctx, port, record->uplink.ingress_bps) : tc_remove_rate(ctx, port);
	return r < 0 ? r : 0;
}

int uplink_is_right(struct lb_context *ctx, const char *port, const struct record *record)
{
	uint64_t rate;
	int isolated = bridge_port_is_isolated(ctx, port);
	int r = isolated < 0 ? isolated : tc_get_rate(ctx, port, &rate);

	if (r < 0)
		return r;
	return isolated == uplink_is_isolated(ctx, record) && rate == record->uplink.ingress_bps;
}

int uplink_follow_network(struct lb_context *ctx, const char *network)
{
	struct record_entry *records = NULL;
	size_t count = 0;
	int r = record_list_all(ctx, false, &records, &count);

	for (size_t i = 0; r >= 0 && i < count; i++) {
		const struct record *record = &records[i].record;
		char port[PORT_NAME_SIZE];

		uplink_name(ctx, record, port);
		if (text_equal(network_name(ctx, record->identity.network), network) && if_nametoindex(port))
			r = uplink_apply(ctx, port, record);
	}
	record_list_free(records, count);
	return r < 0 ? r : 0;
}

void uplink_delete_begin(struct lb_context *ctx, const struct text_list *names, struct link_deletion *ret_deletion)
{
	bool any = false;

	*ret_deletion = (struct link_deletion){ 0 };
	for (size_t i = 0; i < names->count && !any; i++)
		any = if_nametoindex(names->items[i]) > 0;
	if (any && link_deletion_begin(ctx, (const char *const *)names->items, ret_deletion) < 0)
		log_message(ctx, LB_LOG_WARNING, "%s", ctx->error);
}

void uplink_delete_end(struct lb_context *ctx, struct link_deletion *deletion)
{
	if (link_deletion_end(ctx, deletion) < 0)
		log_message(ctx, LB_LOG_WARNING, "%s", ctx->error);
}

void uplink_delete(struct lb_context *ctx, const struct text_list *names)
{
	struct link_deletion deletion;

	uplink_delete_begin(ctx, names, &deletion);
	uplink_delete_end(ctx, &deletion);
}
