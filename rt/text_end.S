/* text_end.S - where the program's code ends in an executable.
 *
 * A linker puts the sections of all objects together in the order in which it got the objects, those named
 * .text.unlikely, .text.startup and .text.hot apart from the others. This object comes right behind the
 * program's: it is the first in librt.a and libnet.a, and the program asks for it (VkProgram.text_ends). The
 * program's own first words mark where its code begins (VK_TEXT_BEGIN): compilers put assembly first. So what
 * is between the marks is the program's, and nothing else is. fault.c relies on that; tests/cli/text-end.sh
 * checks it. */
	.macro mark name, section
	.section \section, "ax", %progbits
	nop /* a call that ends the program's last function returns to here */
	.globl \name
	.hidden \name
\name:
	nop
	.endm
	mark vk_text_end, .text
	mark vk_text_end_unlikely, .text.unlikely
	mark vk_text_end_startup, .text.startup
	mark vk_text_end_hot, .text.hot
	.section .note.GNU-stack, "", %progbits
