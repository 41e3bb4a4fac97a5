/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "firewall-render.h"

#include <arpa/inet.h>
#include <inttypes.h>

#include "../core/name.h"
#include "../core/store.h"
#include "../core/subnet.h"
#include "../util/template.h"
#include "firewall-field.h"
#include "ipv6.h"
#include "port.h"

#define TEMPLATE "network.nft"

/* Between the elements of a set, one on each line. */
#define BETWEEN ",\n\t\t\t     "

enum { VARIABLES_MAX = FIREWALL_SETS + 16 };

struct rendering {
	struct lb_context *ctx;
	const struct firewall_network *network;
	char *texts[VARIABLES_MAX];   /* what the variables' values are kept in */
	struct template_variable variables[VARIABLES_MAX + 1];
	size_t count;
};

static void free_rendering(struct rendering *rendering)
{
	for (size_t i = 0; i < rendering->count; i++)
		free(rendering->texts[i]);
}

void firewall_table_name(const char *bridge, char ret_name[FIREWALL_TABLE_SIZE])
{
	snprintf(ret_name, FIREWALL_TABLE_SIZE, "layerbox-%s", bridge);
}

/* Takes @value, which may be NULL for a lack of memory. */
static int set(struct rendering *rendering, const char *name, char *value, bool multi_line)
{
	if (!value)
		return fail_memory(rendering->ctx);
	rendering->texts[rendering->count] = value;
	rendering->variables[rendering->count++] =
		(struct template_variable){ .name = name, .value = value, .multi_line = multi_line };
	return 0;
}

static int set_line(struct rendering *rendering, const char *name, const char *value)
{
	return set(rendering, name, strdup(value ? value : ""), false);
}

/* { "lxcbr0", "lxcbr1" } */
static char *bridges_text(const struct firewall_network *network)
{
	CLEANUP_BUFFER struct buffer text = { 0 };

	buffer_format(&text, "{ \"%s\"", network->bridge);
	for (const char *const *other = network->others; other && *other; other++)
		if (!text_equal(*other, network->bridge))
			buffer_format(&text, ", \"%s\"", *other);
	buffer_add_text(&text, " }");
	return buffer_finish(&text);
}

static int set_network(struct rendering *rendering)
{
	const struct firewall_network *network = rendering->network;
	const char *ipv6 = text_empty(network->ipv6) ? "" : network->ipv6;
	char prefix[PORT_PREFIX_SIZE], ports[PORT_NAME_SIZE];
	struct ipv6_prefix parsed;
	bool lends_ipv6 = network->nat && !ipv6_prefix_parse(ipv6, &parsed) && ipv6_prefix_is_local(&parsed);
	int r = set_line(rendering, "bridge", network->bridge);

	port_prefix(network->bridge, prefix);
	snprintf(ports, sizeof ports, "\"%s*\"", prefix);
	if (r == 0)
		r = set_line(rendering, "subnet", network->subnet);
	if (r == 0)
		r = set_line(rendering, "ipv6", ipv6);
	if (r == 0)
		r = set_line(rendering, "nat4", network->nat ? network->subnet : "");
	if (r == 0)
		r = set_line(rendering, "nat6", lends_ipv6 ? ipv6 : "");
	if (r == 0)
		r = set_line(rendering, "ports", ports);
	if (r == 0)
		r = set_line(rendering, "guarded", network->antispoof ? ports : "@isolated");
	return r < 0 ? r : set(rendering, "bridges", bridges_text(network), false);
}

/* A chain for each guest that has rules; both tables have them. */
static char *rules_text(const struct firewall_guest *guests, size_t count)
{
	CLEANUP_BUFFER struct buffer text = { 0 };

	buffer_add_text(&text, "");
	for (size_t i = 0; i < count; i++) {
		if (!guests[i].rule_count)
			continue;
		buffer_format(&text, "%schain rules-%s {\n", text.length ? "\n\n\t" : "\t", guests[i].name);
		for (size_t j = 0; j < guests[i].rule_count; j++) {
			const struct firewall_rule *rule = guests[i].rules + j;

			buffer_format(&text, "\t\t%s daddr %s %s\n", strchr(rule->cidr, ':') ? "ip6" : "ip", rule->cidr,
				      rule->allow ? "return" : "drop");
		}
		buffer_add_text(&text, "\t}");
	}
	return buffer_finish(&text);
}

static char *limits_text(const struct firewall_guest *guests, size_t count)
{
	CLEANUP_BUFFER struct buffer text = { 0 };
	char name[NFT_NAME_SIZE];

	buffer_add_text(&text, "");
	for (size_t i = 0; i < count; i++) {
		if (!guests[i].egress_bits)
			continue;
		firewall_limit_name(guests + i, name);
		buffer_format(&text, "%slimit %s {\n\t\trate over %" PRIu64 " bytes/second\n\t}",
			      text.length ? "\n\t" : "\t", name, firewall_limit_rate(guests + i));
	}
	return buffer_finish(&text);
}

static char *elements_text(const struct firewall_elements *elements, const struct firewall_set *set)
{
	CLEANUP_BUFFER struct buffer text = { 0 };

	buffer_add_text(&text, "");
	for (size_t i = 0; elements && i < elements->count; i++) {
		if (elements->items[i].set != set)
			continue;
		if (text.length)
			buffer_add_text(&text, BETWEEN);
		firewall_element_text(elements->items + i, &text);
	}
	return buffer_finish(&text);
}

static int set_guests(struct rendering *rendering, const struct firewall_guest *guests, size_t count,
		      const struct firewall_elements *elements)
{
	int r = set(rendering, "rule_chains", rules_text(guests, count), true);

	if (r == 0)
		r = set(rendering, "egress_limits", limits_text(guests, elements ? count : 0), true);
	for (size_t i = 0; r == 0 && i < FIREWALL_SETS; i++)
		r = set(rendering, firewall_sets[i].name, elements_text(elements, firewall_sets + i), true);
	return r;
}

static int check_network(struct lb_context *ctx, const struct firewall_network *network)
{
	uint8_t bytes[IPV6_BYTES] = { 0 };
	struct ipv6_prefix prefix;
	struct subnet subnet;

	if (!field_encode('n', network->bridge, bytes))
		return fail(ctx, -LB_ERR_BAD_VALUE,
			    "the bridge's name \"%s\" has characters that nft does not take; give it another",
			    network->bridge);
	for (const char *const *other = network->others; other && *other; other++)
		if (!field_encode('n', *other, (uint8_t[IPV6_BYTES]){ 0 }))
			return fail(ctx, -LB_ERR_BAD_VALUE, "the bridge's name \"%s\" is not one for nft", *other);
	if (subnet_parse(network->subnet, &subnet))
		return fail(ctx, -LB_ERR_BAD_VALUE, "\"%s\" is not a subnet such as 10.0.3.0/24", network->subnet);
	if (!text_empty(network->ipv6) && ipv6_prefix_parse(network->ipv6, &prefix))
		return fail(ctx, -LB_ERR_BAD_VALUE, "\"%s\" is not an IPv6 prefix such as fd42:1:2:3::/64",
			    network->ipv6);
	return 0;
}

/* An address, with or without the length of a prefix. */
static bool is_cidr(const char *cidr)
{
	bool is_ipv6 = strchr(cidr, ':');
	const char *slash = strchrnul(cidr, '/');
	char address[IPV6_TEXT_SIZE];
	uint8_t bytes[IPV6_BYTES];
	uint64_t prefix;

	if ((size_t)(slash - cidr) >= sizeof address)
		return false;
	memcpy(address, cidr, (size_t)(slash - cidr));
	address[slash - cidr] = '\0';
	if (inet_pton(is_ipv6 ? AF_INET6 : AF_INET, address, bytes) != 1)
		return false;
	return !*slash || text_to_number(slash + 1, 0, is_ipv6 ? 128 : 32, &prefix);
}

static int check_guest(struct lb_context *ctx, const struct firewall_guest *guest)
{
	int r = name_check(ctx, "container", guest->name);

	for (size_t i = 0; r == 0 && i < guest->rule_count; i++)
		if (!is_cidr(guest->rules[i].cidr))
			r = fail(ctx, -LB_ERR_BAD_VALUE,
				 "container '%s': \"%s\" in its net.rules is no address or prefix such as 10.0.0.0/8",
				 guest->name, guest->rules[i].cidr);
	return r;
}

int firewall_render(struct lb_context *ctx, const struct firewall_network *network, const struct firewall_guest *guests,
		    size_t count, const struct firewall_elements *elements, char **ret_text)
{
	CLEANUP(free_rendering) struct rendering rendering = { .ctx = ctx, .network = network };
	CLEANUP_FREE char *text = NULL;
	CLEANUP_FREE char *path = NULL;
	char error[512];
	int r = check_network(ctx, network);

	for (size_t i = 0; r == 0 && i < count; i++)
		r = check_guest(ctx, guests + i);
	if (r == 0)
		r = set_network(&rendering);
	if (r == 0)
		r = set_guests(&rendering, guests, count, elements);
	if (r == 0)
		r = store_read_data(ctx, STORE_TEMPLATES, TEMPLATE, &text, &path);
	if (r < 0)
		return r;
	r = template_render(text, path, rendering.variables, ret_text, error, sizeof error);
	return r < 0 ? fail(ctx, r == -ENOMEM ? r : -LB_ERR_BAD_CONFIG, "%s", error) : 0;
}
