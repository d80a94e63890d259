/*
 * A provider that remembers nothing: every answer follows from the address.
 * All its orders cost the same and are all paid.
 */

export const ORDER_TOTAL_MINOR = 4_200;

function intent(order: string, status: string): Record<string, unknown> {
  const isCaptured = status === "succeeded";
  return {
    id: `pi_${order}`, object: "payment_intent", status, amount: ORDER_TOTAL_MINOR, amount_received: isCaptured ? ORDER_TOTAL_MINOR : 0,
    currency: "eur", latest_charge: null, metadata: { order },
  };
}

export async function answerAsProvider(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (request.method === "POST" && pathname === "/v1/checkout/sessions") {
    const order = new URLSearchParams(await request.text()).get("client_reference_id") ?? "";
    return Response.json({ id: `cs_${order}`, object: "checkout.session", status: "open", url: `https://pay.example/${order}`, client_reference_id: order, payment_intent: null });
  }
  const [, session] = /^\/v1\/checkout\/sessions\/cs_(\w+)$/.exec(pathname) ?? [];
  if (session !== undefined) {
    return Response.json({ id: `cs_${session}`, object: "checkout.session", status: "complete", url: null, client_reference_id: session, payment_intent: intent(session, "requires_capture") });
  }
  const [, payment, action] = /^\/v1\/payment_intents\/pi_(ord_\w+?)(\/capture)?$/.exec(pathname) ?? [];
  if (payment !== undefined) return Response.json(intent(payment, action === undefined ? "requires_capture" : "succeeded"));
  return Response.json({ error: { type: "invalid_request_error", message: `the bench's provider does not know ${pathname}` } }, { status: 404 });
}
