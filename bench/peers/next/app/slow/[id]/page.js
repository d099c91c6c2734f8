import { appendFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { Card } from '../../card.js';

export const revalidate = 3600;
export const generateStaticParams = async () => [];

export default async function Page({ params }) {
  const { id } = await params;
  if (process.env.BENCH_RENDERS) appendFileSync(process.env.BENCH_RENDERS, '.');
  await setTimeout(200);
  return <Card id={id} />;
}
