import { Card } from '../../card.js';

export const revalidate = 3600;
export const generateStaticParams = async () => [];
export const generateMetadata = async ({ params }) => ({ title: `Card ${(await params).id}` });

export default async function Page({ params }) {
  return <Card id={(await params).id} />;
}
