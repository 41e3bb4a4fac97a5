/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/network/firewall-elements.h"
#include "../../liblayerbox/network/firewall-field.h"

static const struct firewall_guest plain = {
	.name = "plain",
	.port = "lbc066-1a2b3c",
	.mac = "00:16:3e:1a:2b:3c",
	.ipv4 = "10.0.3.20",
	.ipv6 = "fd42::14",
};

static void test_fields(void **state)
{
	static const struct {
		char type;
		const char *text, *nft;
		size_t size;
		uint8_t bytes[16];
	} cases[] = {
		{ 'n', "lb0-1", "\"lb0-1\"", 16, { 'l', 'b', '0', '-', '1' } },
		{ 'm', "00:16:3e:1a:2b:3c", "00:16:3e:1a:2b:3c", 8, { 0, 0x16, 0x3e, 0x1a, 0x2b, 0x3c } },
		{ '4', "10.0.3.20", "10.0.3.20", 4, { 10, 0, 3, 20 } },
		{ '6', "fd42::14", "fd42::14", 16, { 0xfd, 0x42, [15] = 0x14 } },
		{ 'h', "00:16:3e:1a:2b:3c", "0x00163e1a2b3c", 8, { 0, 0x16, 0x3e, 0x1a, 0x2b, 0x3c } },
		{ 'x', "fd42::14", "0xfd420000000000000000000000000014", 16, { 0xfd, 0x42, [15] = 0x14 } },
		{ 'p', "tcp", "tcp", 4, { 6 } },
		{ 'p', "udp", "udp", 4, { 17 } },
		{ 's', "8080", "8080", 4, { 0x1f, 0x90 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t bytes[16] = { 0 };
		CLEANUP_BUFFER struct buffer text = { 0 };

		assert_int_equal(field_size(cases[i].type), cases[i].size);
		assert_true(field_encode(cases[i].type, cases[i].text, bytes));
		assert_memory_equal(bytes, cases[i].bytes, sizeof bytes);
		field_decode(cases[i].type, bytes, &text);
		assert_string_equal(text.data, cases[i].nft);
	}
}

static void test_fields_refuse(void **state)
{
	static const struct {
		char type;
		const char *text;
	} cases[] = {
		{ 'n', "" },          { 'n', "sixteen-letters-" },
		{ 'n', "a\"; drop" }, { 'n', "a b" },
		{ 'm', "" },          { 'm', "00:16:3e" },
		{ '4', "" },          { '4', "10.0.3" },
		{ '6', "" },          { '6', "10.0.3.20" },
		{ 'p', "" },          { 'p', "sctp" },
		{ 's', "0" },         { 's', "65536" },
		{ 's', "" },
	};
	uint8_t bytes[16] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (field_encode(cases[i].type, cases[i].text, bytes))
			fail_msg("'%c' took \"%s\"", cases[i].type, cases[i].text);
}

/* All elements of a guest, a line each. */
static char *describe(const struct firewall_guest *guests, size_t count)
{
	CLEANUP_FIREWALL_ELEMENTS struct firewall_elements elements = { 0 };
	CLEANUP_BUFFER struct buffer text = { 0 };
	struct lb_context ctx = { 0 };

	assert_int_equal(firewall_elements_collect(&ctx, guests, count, &elements), 0);
	for (size_t i = 0; i < elements.count; i++) {
		buffer_format(&text, "%s ", elements.items[i].set->name);
		firewall_element_text(elements.items + i, &text);
		buffer_add_text(&text, "\n");
	}
	return buffer_finish(&text);
}

static void test_plain(void **state)
{
	CLEANUP_FREE char *text = describe(&plain, 1);

	(void)state;
	assert_string_equal(text,
			    "macs \"lbc066-1a2b3c\" . 00:16:3e:1a:2b:3c\n"
			    "chaddrs \"lbc066-1a2b3c\" . 0x00163e1a2b3c\n"
			    "guests4 \"lbc066-1a2b3c\" . 00:16:3e:1a:2b:3c . 10.0.3.20\n"
			    "guests6 \"lbc066-1a2b3c\" . 00:16:3e:1a:2b:3c . fd42::14\n"
			    "guests6 \"lbc066-1a2b3c\" . 00:16:3e:1a:2b:3c . fe80::216:3eff:fe1a:2b3c\n"
			    "targets6 \"lbc066-1a2b3c\" . 00:16:3e:1a:2b:3c . 0xfd420000000000000000000000000014\n"
			    "targets6 \"lbc066-1a2b3c\" . 00:16:3e:1a:2b:3c . 0xfe8000000000000002163efffe1a2b3c\n");
}

static void test_everything(void **state)
{
	static const struct firewall_forward forwards[] = {
		{ .protocol = "tcp", .listen = "", .port = 8080, .target_port = 80 },
		{ .protocol = "udp", .listen = "192.0.2.1", .port = 53, .target_port = 53 },
		{ .protocol = "tcp", .listen = "2001:db8::1", .port = 443, .target_port = 8443 },
	};
	static const struct firewall_rule rule = { .cidr = "10.0.0.0/8" };
	struct firewall_guest guest = plain;
	CLEANUP_FREE char *text = NULL;

	(void)state;
	guest.isolated = true;
	guest.egress_bits = 100000000;
	guest.forwards = forwards;
	guest.forward_count = 3;
	guest.rules = &rule;
	guest.rule_count = 1;
	text = describe(&guest, 1);
	assert_contains(text, "isolated \"lbc066-1a2b3c\"\n"
			      "limits \"lbc066-1a2b3c\" : \"egress-plain-100000000\"\n"
			      "rules \"lbc066-1a2b3c\" : jump rules-plain\n"
			      "isolated4 10.0.3.20\n"
			      "isolated6 fd42::14\n"
			      "rules4 10.0.3.20 : jump rules-plain\n"
			      "rules6 fd42::14 : jump rules-plain\n"
			      "forwards4 192.0.2.1 . udp . 53 : 10.0.3.20 . 53\n"
			      "forwards6 2001:db8::1 . tcp . 443 : fd42::14 . 8443\n"
			      "forwards_any4 tcp . 8080 : 10.0.3.20 . 80\n"
			      "forwards_any6 tcp . 8080 : fd42::14 . 80\n");
	assert_int_equal(firewall_limit_rate(&guest), 12500000);
}

static void test_doubles(void **state)
{
	static const struct firewall_forward forward = {
		.protocol = "tcp", .listen = "", .port = 80, .target_port = 80
	};
	struct firewall_guest guests[2] = { plain, plain };
	CLEANUP_FREE char *text = NULL;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		guests[i].forwards = &forward;
		guests[i].forward_count = 1;
		guests[i].ipv6 = "";
	}
	guests[0].name = "zebra";
	guests[1].name = "ape";
	guests[1].ipv4 = "10.0.3.21";
	text = describe(guests, 2);
	assert_contains(text, "forwards_any4 tcp . 80 : 10.0.3.21 . 80\n");
	assert_null(strstr(text, "10.0.3.20 . 80"));
}

static void test_refuses(void **state)
{
	static const struct firewall_forward forward = {
		.protocol = "tcp", .listen = "2001:db8::1", .port = 80, .target_port = 80
	};
	struct lb_context ctx = { 0 };

	(void)state;
	for (int i = 0; i < 5; i++) {
		CLEANUP_FIREWALL_ELEMENTS struct firewall_elements elements = { 0 };
		struct firewall_guest guest = plain;

		if (i == 0)
			guest.ipv4 = "10.0.3.20; drop";
		else if (i == 1)
			guest.mac = "00:16:3e:1a:2b";
		else if (i == 2)
			guest.ipv6 = "fd42::/64";
		else if (i == 3)
			guest.port = "";
		else
			guest.forwards = &forward, guest.forward_count = 1, guest.ipv6 = NULL;
		assert_int_equal(firewall_elements_add_guest(&ctx, &guest, &elements), -LB_ERR_BAD_VALUE);
		assert_contains(ctx.error, "plain");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),     cmocka_unit_test(test_fields_refuse), cmocka_unit_test(test_plain),
		cmocka_unit_test(test_everything), cmocka_unit_test(test_doubles),       cmocka_unit_test(test_refuses),
	};

	return cmocka_run_group_tests_name("firewall", tests, NULL, NULL);
}
